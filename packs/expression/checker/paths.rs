//! Names with fields after them, and which of them a check tests for being there.

use std::collections::BTreeSet;

use cel::common::ast::{Expr, LiteralValue, operators};
use cel::parser::Expression;

/// A name and fields after it, as they are written.
pub(super) fn path(own: &Expression) -> Option<String> {
    match &own.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            Some(format!("{}.{}", path(&select.operand)?, select.field))
        }
        _ => None,
    }
}

/// Adds what an expression tests for being there.
pub(in crate::expression) fn tests(own: &Expression, tested: &mut BTreeSet<String>) {
    match &own.expr {
        Expr::Select(select) => {
            if let Some(path) = path(&select.operand).filter(|_| select.test) {
                tested.insert(format!("{path}.{}", select.field));
            }
            tests(&select.operand, tested);
        }
        Expr::Call(of) => {
            if let (operators::EQUALS | operators::NOT_EQUALS, [one, other]) =
                (of.func_name.as_str(), of.args.as_slice())
            {
                let null = |it: &Expression| matches!(it.expr, Expr::Literal(LiteralValue::Null));
                let against =
                    if null(one) { Some(other) } else { Some(one).filter(|_| null(other)) };
                tested.extend(against.and_then(path));
            }
            of.target.iter().for_each(|it| tests(it, tested));
            of.args.iter().for_each(|it| tests(it, tested));
        }
        Expr::Comprehension(of) => {
            tests(&of.iter_range, tested);
            tests(&of.loop_step, tested);
        }
        Expr::List(list) => list.elements.iter().for_each(|it| tests(it, tested)),
        _ => {}
    }
}
