//! PowerShell, as a parser sees it.

use tree_sitter::{Node, Parser, Tree};

/// The tree of a script, with nodes of errors where it cannot be parsed.
pub(crate) fn parse(script: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    parser.parse(script, None).unwrap()
}

/// Every node of a tree.
pub(crate) fn nodes(tree: &Tree) -> Vec<Node<'_>> {
    let mut all = Vec::new();
    let mut open = vec![tree.root_node()];
    while let Some(node) = open.pop() {
        all.push(node);
        let mut cursor = node.walk();
        open.extend(node.children(&mut cursor));
    }
    all
}

/// The first child of this kind.
pub(crate) fn child<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).find(|it| it.kind() == kind)
}
