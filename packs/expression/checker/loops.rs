//! Loops over lists, of which some may not be whole.

use cel::common::ast::{ComprehensionExpr, Expr, operators};
use cel::parser::Expression;

use super::paths::path;
use super::{Checked, Checker, Fault, MOST_LOOPS, Name, call};
use crate::expression::functions;
use crate::types::Type;

impl Checker<'_> {
    pub(super) fn looped(&mut self, own: &Expression, of: &ComprehensionExpr) -> Checked {
        let (range, found) = self.check(&of.iter_range)?;
        self.need_present(&of.iter_range, &found)?;
        let Type::List(item) = found.present() else {
            return self.fault(&of.iter_range, format!("expected a list, found {}", found.name()));
        };
        self.loops += 1;
        if MOST_LOOPS < self.loops {
            return self.fault(own, format!("more than {MOST_LOOPS} loops in one another"));
        }
        let name = of.iter_var.clone();
        self.scope.names.push(Name { text: name, of: item.read(), kept: false });
        let checked = self.body(own, of, range);
        self.scope.names.pop();
        self.loops -= 1;
        checked
    }

    /// The loop over a checked list, by what a round of it does.
    fn body(&mut self, own: &Expression, of: &ComprehensionExpr, range: Expression) -> Checked {
        let mut made = of.clone();
        let Expr::Call(step) = &mut made.loop_step.expr else {
            return self.fault(own, "no such loop is known");
        };
        let id = own.id;
        match (step.func_name.as_str(), step.args.as_mut_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [_, test]) => {
                self.tested(test)?;
                let all = step.func_name == operators::LOGICAL_AND;
                // Of what is not known to be whole, one item alone may settle it.
                let settles = path(&range).is_some();
                let listed = range.clone();
                let over = if settles { functions::KNOWN } else { functions::EACH };
                made.iter_range = call(id, over, vec![range]);
                let own = Expression { id, expr: Expr::Comprehension(Box::new(made)) };
                if !settles {
                    return Ok((own, Type::Bool));
                }
                let whole = call(id, functions::WHOLE, vec![listed]);
                let settled = if all {
                    call(id, operators::LOGICAL_AND, vec![own, whole])
                } else {
                    let rest = call(id, operators::LOGICAL_NOT, vec![whole]);
                    call(id, operators::LOGICAL_OR, vec![own, rest])
                };
                Ok((settled, Type::Bool))
            }
            (operators::ADD, [_, items]) => {
                let item = self.mapped(items)?;
                Ok(over_all(id, made, range, Type::List(item.into())))
            }
            (operators::CONDITIONAL, [test, then, _]) => {
                self.tested(test)?;
                let Expr::Call(then) = &mut then.expr else {
                    return self.fault(own, "no such loop is known");
                };
                match then.args.as_mut_slice() {
                    // `filter` and `map` with a condition add an item to a list…
                    [_, items] if matches!(items.expr, Expr::List(_)) => {
                        let item = self.mapped(items)?;
                        Ok(over_all(id, made, range, Type::List(item.into())))
                    }
                    // …and `exists_one` counts.
                    _ => Ok(over_all(id, made, range, Type::Bool)),
                }
            }
            _ => self.fault(own, "no such loop is known"),
        }
    }

    fn tested(&mut self, test: &mut Expression) -> Result<(), Fault> {
        let (checked, found) = self.check(test)?;
        self.need(test, &found, &Type::Bool)?;
        *test = checked;
        Ok(())
    }

    /// What a round adds to a list: one value or one object, never a list.
    fn mapped(&mut self, items: &mut Expression) -> Result<Type, Fault> {
        let Expr::List(list) = &mut items.expr else {
            return self.fault(items, "no such loop is known");
        };
        let Some(item) = list.elements.first_mut() else {
            return self.fault(items, "no such loop is known");
        };
        let (checked, found) = self.check(item)?;
        if matches!(found.present(), Type::List(_) | Type::Null) {
            return self.fault(item, format!("a list of {} cannot be made", found.name()));
        }
        *item = checked;
        Ok(found)
    }
}

/// A loop that needs the whole list.
fn over_all(
    id: u64,
    mut of: ComprehensionExpr,
    range: Expression,
    gives: Type,
) -> (Expression, Type) {
    of.iter_range = call(id, functions::EACH, vec![range]);
    (Expression { id, expr: Expr::Comprehension(Box::new(of)) }, gives)
}
