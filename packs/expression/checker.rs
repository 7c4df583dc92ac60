//! Whether an expression means something, before it meets any facts.
//!
//! Every name and every type is held against the schema of the facts. What comes
//! out is the expression with its loops and lists made explicit: where a list may
//! not be whole, what rests on its being whole asks for that, and nothing else does.

mod loops;
mod paths;

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, Expr, ListExpr, LiteralValue, SelectExpr, SourceInfo, operators};
use cel::parser::Expression;

use paths::path;

use super::functions::{self, FUNCTIONS, Function, Takes};
use crate::nearest::{nearest, unknown};
use crate::types::{FACTS, SHAPES, Type};

pub(super) use paths::tests;

/// Loops that may stand in one another.
const MOST_LOOPS: usize = 4;

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    /// Empty where it is told elsewhere.
    pub(crate) text: String,
}

/// The names that are there, and what else is known of the check.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// The names, the innermost last.
    pub(crate) names: Vec<Name>,
    /// What the check tests for being there.
    pub(crate) tested: BTreeSet<String>,
    /// Names whose own expression makes no sense, of which enough was said.
    pub(crate) broken: BTreeSet<String>,
}

/// A name and what it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) of: Type,
    /// Whether it is a part of the check that may turn out not to be known.
    pub(crate) kept: bool,
}

pub(super) struct Checker<'a> {
    info: &'a SourceInfo,
    scope: Scope,
    loops: usize,
    /// The parts of the facts that are read.
    pub(super) reads: BTreeSet<String>,
}

type Checked = Result<(Expression, Type), Fault>;

impl<'a> Checker<'a> {
    pub(super) fn new(info: &'a SourceInfo, scope: &Scope) -> Self {
        Self { info, scope: scope.clone(), loops: 0, reads: BTreeSet::new() }
    }

    fn fault<T>(&self, of: &Expression, text: impl Into<String>) -> Result<T, Fault> {
        let octet = self.info.offset_for(of.id).map_or(0, |(start, _)| start as usize);
        let start = self.info.source.get(..octet).map_or(0, |before| before.chars().count());
        // A field is found at its dot, and a call at its parenthesis.
        let at = match (self.info.source.chars().nth(start), &of.expr) {
            (Some('.'), _) => start + 1,
            (Some('('), Expr::Call(of)) => start.saturating_sub(of.func_name.chars().count()),
            _ => start,
        };
        Err(Fault { at, text: text.into() })
    }

    /// The checked expression and its type.
    pub(super) fn check(&mut self, own: &Expression) -> Checked {
        match &own.expr {
            Expr::Literal(literal) => self.literal(own, literal),
            Expr::Ident(name) => self.name(own, name),
            Expr::Select(select) => self.select(own, select),
            Expr::Call(call) => self.call(own, call),
            Expr::Comprehension(of) => self.looped(own, of),
            Expr::List(list) => self.list(own, list),
            Expr::Map(_) | Expr::Struct(_) => self.fault(own, "an object cannot be written here"),
            Expr::Unspecified => self.fault(own, "something is missing here"),
        }
    }

    fn literal(&self, own: &Expression, literal: &LiteralValue) -> Checked {
        let of = match literal {
            LiteralValue::Boolean(_) => Type::Bool,
            LiteralValue::Int(_) => Type::Int,
            LiteralValue::String(_) => Type::Text,
            LiteralValue::Null => Type::Null,
            LiteralValue::Double(_) | LiteralValue::UInt(_) | LiteralValue::Bytes(_) => {
                return self
                    .fault(own, "the facts hold no such value: write whole numbers or text");
            }
        };
        Ok((own.clone(), of))
    }

    fn name(&self, own: &Expression, name: &str) -> Checked {
        if let Some(known) = self.scope.names.iter().rev().find(|it| it.text == name) {
            let of = known.of.read();
            if known.kept {
                let name = Expr::Literal(LiteralValue::String(name.to_owned().into()));
                let name = Expression { id: own.id, expr: name };
                return Ok((call(own.id, functions::KEPT, vec![name]), of));
            }
            return Ok((own.clone(), of));
        }
        if self.scope.broken.contains(name) {
            return self.fault(own, "");
        }
        let names = self.scope.names.iter().map(|it| it.text.as_str());
        // Whoever forgets `facts.` is told so.
        if SHAPES.get(FACTS).is_some_and(|it| it.contains_key(name)) {
            return self
                .fault(own, format!("unknown name {name:?}, did you mean \"facts.{name}\"?"));
        }
        self.fault(own, unknown("name", name, names))
    }

    fn select(&mut self, own: &Expression, select: &SelectExpr) -> Checked {
        let (operand, of) = self.check(&select.operand)?;
        if !select.test {
            self.need_present(&select.operand, &of)?;
        }
        let field = select.field.as_str();
        let Type::Object(kind) = of.present() else {
            return self.fault(own, format!("a {} has no field {field:?}", of.name()));
        };
        let fields = SHAPES.get(&kind);
        let Some(found) = fields.and_then(|it| it.get(field)) else {
            let names = fields.into_iter().flatten().map(|(name, _)| name.as_str());
            let said = unknown("field", field, names);
            return self.fault(own, format!("{said} (of {kind})"));
        };
        if kind == FACTS {
            self.reads.insert(field.to_owned());
        } else if kind == "Server" && field == "certificates" {
            self.reads.insert("server_certificates".to_owned());
        }
        if select.test {
            let name = Expr::Literal(LiteralValue::String(field.to_owned().into()));
            let name = Expression { id: own.id, expr: name };
            return Ok((call(own.id, functions::HAS, vec![operand, name]), Type::Bool));
        }
        let expr = Expr::Select(SelectExpr { operand: Box::new(operand), ..select.clone() });
        Ok((Expression { id: own.id, expr }, found.read()))
    }

    /// What may be null has to be tested somewhere in the check.
    fn need_present(&self, own: &Expression, of: &Type) -> Result<(), Fault> {
        if !matches!(of, Type::Optional(_)) {
            return Ok(());
        }
        match path(own) {
            Some(path) if self.scope.tested.contains(&path) => Ok(()),
            Some(path) => {
                let test = if path.contains('.') {
                    format!("has({path})")
                } else {
                    format!("{path} != null")
                };
                self.fault(own, format!("{path} may be null: test it first, as in {test} && …"))
            }
            None => self.fault(own, "this may be null: give it a name, and test that"),
        }
    }

    fn need(&self, own: &Expression, of: &Type, wanted: &Type) -> Result<(), Fault> {
        if of == wanted {
            return Ok(());
        }
        self.need_present(own, of)?;
        if of.present() == *wanted {
            return Ok(());
        }
        self.fault(own, format!("expected {}, found {}", wanted.name(), of.name()))
    }

    fn list(&mut self, own: &Expression, list: &ListExpr) -> Checked {
        if !list.optional_indices.is_empty() {
            return self.fault(own, "a list cannot have optional items here");
        }
        let mut of: Option<Type> = None;
        let mut elements = Vec::with_capacity(list.elements.len());
        for element in &list.elements {
            let (checked, own_type) = self.check(element)?;
            self.need_present(element, &own_type)?;
            let own_type = match own_type.present() {
                Type::Choice(_) => Type::Text,
                other => other,
            };
            if !own_type.is_scalar() {
                return self
                    .fault(element, format!("a list of {} cannot be written", own_type.name()));
            }
            if let Some(first) = of.as_ref().filter(|first| **first != own_type) {
                let text =
                    format!("expected {} as before, found {}", first.name(), own_type.name());
                return self.fault(element, text);
            }
            of = Some(own_type);
            elements.push(checked);
        }
        let of = Type::List(of.unwrap_or(Type::Text).into());
        Ok((Expression { id: own.id, expr: Expr::List(ListExpr::new(elements)) }, of))
    }

    fn call(&mut self, own: &Expression, of: &CallExpr) -> Checked {
        let operator = of.target.is_none();
        match (of.func_name.as_str(), of.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [_, _]) if operator => {
                self.uniform(own, of, &Type::Bool)
            }
            (operators::LOGICAL_NOT, [_]) if operator => self.uniform(own, of, &Type::Bool),
            (operators::NEGATE, [_]) if operator => self.uniform(own, of, &Type::Int),
            (operators::CONDITIONAL, [test, then, otherwise]) if operator => {
                self.conditional(own, [test, then, otherwise])
            }
            (operators::EQUALS | operators::NOT_EQUALS, [one, other]) if operator => {
                self.equality(own, of, one, other)
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [one, other],
            ) if operator => self.order(own, of, one, other),
            (operators::IN, [item, list]) if operator => self.within(own, item, list),
            (operators::INDEX, [list, at]) if operator => self.item(own, of, list, at),
            (operators::ADD | operators::SUBSTRACT, [one, other]) if operator => {
                self.sum(own, of, one, other)
            }
            (operators::MULTIPLY | operators::DIVIDE | operators::MODULO, [_, _]) if operator => {
                self.uniform(own, of, &Type::Int)
            }
            ("seen", args) if args.len() + usize::from(of.target.is_some()) == 1 => {
                let list = of.target.iter().map(AsRef::as_ref).chain(args).next();
                match list {
                    Some(list) => self.seen(own, list),
                    None => self.fault(own, "write seen(list)"),
                }
            }
            (name, _) => self.function(own, of, name),
        }
    }

    /// An operator whose operands and result are of one type.
    fn uniform(&mut self, own: &Expression, of: &CallExpr, wanted: &Type) -> Checked {
        let mut arguments = Vec::with_capacity(of.args.len());
        for argument in &of.args {
            let (checked, found) = self.check(argument)?;
            self.need(argument, &found, wanted)?;
            arguments.push(checked);
        }
        Ok((call(own.id, &of.func_name, arguments), wanted.clone()))
    }

    fn conditional(&mut self, own: &Expression, [test, one, other]: [&Expression; 3]) -> Checked {
        let (tested, found) = self.check(test)?;
        self.need(test, &found, &Type::Bool)?;
        let (then, first) = self.check(one)?;
        let (otherwise, second) = self.check(other)?;
        let of = match (&first, &second) {
            (one, two) if one == two => first,
            (one, two) if one.is_text() && two.is_text() => Type::Text,
            (Type::Null, some) | (some, Type::Null) => Type::Optional(some.present().into()),
            (one, two) if one.present() == two.present() => Type::Optional(one.present().into()),
            _ => {
                let said = format!("expected {} as before, found {}", first.name(), second.name());
                return self.fault(other, said);
            }
        };
        Ok((call(own.id, operators::CONDITIONAL, vec![tested, then, otherwise]), of))
    }

    fn equality(
        &mut self,
        own: &Expression,
        of: &CallExpr,
        one: &Expression,
        other: &Expression,
    ) -> Checked {
        let (first, first_type) = self.check(one)?;
        let (second, second_type) = self.check(other)?;
        let (a, b) = (first_type.present(), second_type.present());
        let comparable = |it: &Type| it.is_scalar() || *it == Type::Null;
        for (side, of, against) in [(one, &a, &b), (other, &b, &a)] {
            let nothing = *against == Type::Null;
            let told_apart = nothing && matches!(of, Type::Object(_));
            if !comparable(of) && !told_apart {
                return self
                    .fault(side, format!("a {} cannot be compared: compare its parts", of.name()));
            }
        }
        let same = a == b || (a.is_text() && b.is_text()) || a == Type::Null || b == Type::Null;
        if !same {
            return self.fault(other, format!("expected {}, found {}", a.name(), b.name()));
        }
        self.chosen(&a, other)?;
        self.chosen(&b, one)?;
        Ok((call(own.id, &of.func_name, vec![first, second]), Type::Bool))
    }

    /// A text that is compared with a choice has to be one of its texts.
    fn chosen(&self, of: &Type, written: &Expression) -> Result<(), Fault> {
        let (Type::Choice(known), Some(text)) = (of, text_of(written)) else { return Ok(()) };
        if known.iter().any(|it| it == text) {
            return Ok(());
        }
        let said = match nearest(text, known.iter().map(String::as_str)) {
            Some(near) => format!("it is never {text:?}, did you mean {near:?}?"),
            None => format!("it is never {text:?}, but one of {}", known.join(", ")),
        };
        self.fault(written, said)
    }

    fn order(
        &mut self,
        own: &Expression,
        of: &CallExpr,
        one: &Expression,
        other: &Expression,
    ) -> Checked {
        let (first, first_type) = self.check(one)?;
        let (second, second_type) = self.check(other)?;
        self.need_present(one, &first_type)?;
        self.need_present(other, &second_type)?;
        let (a, b) = (first_type.present(), second_type.present());
        if !matches!(a, Type::Int | Type::Instant | Type::Span) {
            let hint = if a.is_text() { ": of versions ask atLeast" } else { "" };
            return self.fault(one, format!("a {} has no order{hint}", a.name()));
        }
        if a != b {
            return self.fault(other, format!("expected {}, found {}", a.name(), b.name()));
        }
        Ok((call(own.id, &of.func_name, vec![first, second]), Type::Bool))
    }

    fn sum(
        &mut self,
        own: &Expression,
        of: &CallExpr,
        one: &Expression,
        other: &Expression,
    ) -> Checked {
        let (first, first_type) = self.check(one)?;
        let (second, second_type) = self.check(other)?;
        self.need_present(one, &first_type)?;
        self.need_present(other, &second_type)?;
        let plus = of.func_name == operators::ADD;
        let (a, b) = (first_type.present(), second_type.present());
        if plus && a.is_text() && b.is_text() {
            return Ok((call(own.id, functions::CONCATENATED, vec![first, second]), Type::Text));
        }
        let gives = match (&a, &b) {
            (Type::Int, Type::Int) => Type::Int,
            (Type::Instant, Type::Instant) if !plus => Type::Span,
            (Type::Instant, Type::Span) => Type::Instant,
            (Type::Span, Type::Instant) if plus => Type::Instant,
            (Type::Span, Type::Span) => Type::Span,
            _ => {
                let sign = if plus { '+' } else { '-' };
                return self.fault(own, format!("{} {sign} {} is nothing", a.name(), b.name()));
            }
        };
        Ok((call(own.id, &of.func_name, vec![first, second]), gives))
    }

    fn within(&mut self, own: &Expression, item: &Expression, list: &Expression) -> Checked {
        let (first, found) = self.check(item)?;
        let (second, of) = self.check(list)?;
        self.need_present(list, &of)?;
        let Type::List(inner) = of.present() else {
            return self.fault(list, format!("expected a list, found {}", of.name()));
        };
        let (item_type, inner) = (found.present(), inner.present());
        let same = item_type == inner || (item_type.is_text() && inner.is_text());
        if !same || !item_type.is_scalar() {
            let text = format!("a list of {} holds no {}", inner.name(), item_type.name());
            return self.fault(item, text);
        }
        if let Expr::List(written) = &list.expr {
            for element in &written.elements {
                self.chosen(&item_type, element)?;
            }
        }
        self.chosen(&inner, item)?;
        Ok((call(own.id, functions::WITHIN, vec![first, second]), Type::Bool))
    }

    fn item(
        &mut self,
        own: &Expression,
        of: &CallExpr,
        list: &Expression,
        at: &Expression,
    ) -> Checked {
        let (first, found) = self.check(list)?;
        self.need_present(list, &found)?;
        let Type::List(inner) = found.present() else {
            return self.fault(list, format!("a {} has no items", found.name()));
        };
        let (second, index) = self.check(at)?;
        self.need(at, &index, &Type::Int)?;
        let whole = call(list.id, functions::EACH, vec![first]);
        Ok((call(own.id, &of.func_name, vec![whole, second]), inner.read()))
    }

    /// A list as far as it was seen, whether or not there are others.
    fn seen(&mut self, own: &Expression, list: &Expression) -> Checked {
        let (checked, found) = self.check(list)?;
        self.need_present(list, &found)?;
        let of = found.present();
        if !matches!(of, Type::List(_)) {
            return self.fault(list, format!("expected a list, found {}", found.name()));
        }
        Ok((call(own.id, functions::SEEN, vec![checked]), of))
    }

    /// `f(a, b)` or `a.f(b)`, which are the same.
    fn function(&mut self, own: &Expression, of: &CallExpr, name: &str) -> Checked {
        let Some(function) = FUNCTIONS.iter().find(|it| it.name == name) else {
            let loops = ["all", "exists", "exists_one", "filter", "map", "has", "seen"];
            if loops.contains(&name) {
                let how = match name {
                    "has" => "has(object.field)",
                    "seen" => "seen(list)",
                    _ => "list.NAME(item, condition)",
                };
                return self.fault(own, format!("write {}", how.replace("NAME", name)));
            }
            let known = FUNCTIONS.iter().map(|it| it.name).chain(loops);
            return self.fault(own, unknown("function", name, known));
        };
        let arguments: Vec<&Expression> =
            of.target.iter().map(AsRef::as_ref).chain(&of.args).collect();
        let Function { takes, gives, .. } = function;
        if arguments.len() != takes.len() {
            let text = format!("{name} takes {} values, not {}", takes.len(), arguments.len());
            return self.fault(own, text);
        }
        let mut checked = Vec::with_capacity(arguments.len());
        for (argument, takes) in arguments.iter().zip(*takes) {
            let (own, found) = self.check(argument)?;
            if *takes != Takes::Scalar {
                self.need_present(argument, &found)?;
            }
            let found = found.present();
            let list_of =
                |test: fn(&Type) -> bool| matches!(&found, Type::List(it) if test(&it.present()));
            let (fits, wanted) = match takes {
                Takes::Text => (found.is_text(), "text"),
                Takes::Texts => (list_of(Type::is_text), "a list of text"),
                Takes::Span => (found == Type::Span, "a duration"),
                Takes::Scalar => (found.is_scalar(), "a single value"),
                Takes::TextOrList => (found.is_text() || list_of(|_| true), "text or a list"),
            };
            if !fits {
                return self.fault(argument, format!("expected {wanted}, found {}", found.name()));
            }
            checked.push(own);
        }
        self.constant(name, &arguments)?;
        Ok((call(own.id, name, checked), gives.clone()))
    }

    /// Whether a time that is written out is one.
    fn constant(&self, name: &str, arguments: &[&Expression]) -> Result<(), Fault> {
        let [own] = arguments else { return Ok(()) };
        let Some(text) = text_of(own) else { return Ok(()) };
        let read = match name {
            "timestamp" => functions::instant(text).map(|_| ()),
            "duration" => functions::span(text).map(|_| ()),
            _ => Ok(()),
        };
        read.or_else(|why| self.fault(own, why))
    }
}

fn call(id: u64, name: &str, args: Vec<Expression>) -> Expression {
    let call = CallExpr { func_name: name.to_owned(), target: None, args };
    Expression { id, expr: Expr::Call(call) }
}

/// The text that is written out here.
fn text_of(own: &Expression) -> Option<&str> {
    match &own.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
