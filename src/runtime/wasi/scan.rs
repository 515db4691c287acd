//! A look at a module before it is compiled: the compiler can neither be bounded nor interrupted, what it gets can.

use wasmparser::{FunctionBody, Operator, Parser, Payload};

use super::compile::CompileBounds;
use super::load_error::LoadError;
use crate::runtime::NotStarted;
use crate::spec::ByteSize;

/// Refuses a binary module or component that has more of something than the bounds allow. Takes one pass.
pub(super) fn scan(binary: &[u8], bounds: &CompileBounds) -> Result<(), LoadError> {
    let mut functions = 0_u64;
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload.map_err(|error| not_valid(&error))?;
        if let Payload::CodeSectionEntry(body) = payload {
            functions += 1;
            within("functions", functions, bounds.functions)?;
            function(&body, bounds)?;
        }
    }
    Ok(())
}

fn function(body: &FunctionBody<'_>, bounds: &CompileBounds) -> Result<(), LoadError> {
    let size = body.range().len() as u64;
    if size > bounds.body {
        return Err(refused(format!(
            "one of its functions has {}, where {} are allowed",
            ByteSize(size),
            ByteSize(bounds.body)
        )));
    }
    let mut locals = 0_u64;
    for group in body.get_locals_reader().map_err(|error| not_valid(&error))? {
        let (count, _) = group.map_err(|error| not_valid(&error))?;
        locals += u64::from(count);
    }
    within("locals in one function", locals, bounds.locals)?;
    let (mut depth, mut targets, mut operators) = (0_u64, 0_u64, 0_u64);
    for operator in body.get_operators_reader().map_err(|error| not_valid(&error))? {
        operators += 1;
        let operator = operator.map_err(|error| not_valid(&error))?;
        if opens_a_block(&operator) {
            depth += 1;
            within("blocks inside each other", depth, bounds.nesting)?;
        } else if let Operator::BrTable { targets: table } = operator {
            targets += u64::from(table.len());
            within("branch targets in one function", targets, bounds.targets)?;
        } else if matches!(operator, Operator::End) {
            depth = depth.saturating_sub(1);
        }
    }
    within("instructions times locals in one function", operators.saturating_mul(locals), bounds.work)
}

fn opens_a_block(operator: &Operator<'_>) -> bool {
    matches!(operator, Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. })
}

fn within(what: &str, found: u64, most: u64) -> Result<(), LoadError> {
    if found <= most {
        return Ok(());
    }
    Err(refused(format!("it has more than {most} {what}")))
}

fn refused(why: String) -> LoadError {
    LoadError::Refused(NotStarted::CompileLimit, format!("the module would take too long to compile: {why}"))
}

fn not_valid(error: &wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Refused(NotStarted::BadModule, format!("not valid WebAssembly: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::wasi::compile::ModuleBounds;

    fn message(text: &str) -> Option<String> {
        match scan(&wat::parse_str(text).unwrap(), &ModuleBounds::default().bounds()) {
            Ok(()) => None,
            Err(LoadError::Refused(NotStarted::CompileLimit, message)) => Some(message),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_bound_refuses_its_bomb_and_lets_the_half_of_it_pass() {
        let bounds = ModuleBounds::default().bounds();
        let half_and_double = |bound: u64| [bound / 2, bound * 2].map(|count| usize::try_from(count).unwrap());
        let function = |locals: usize, body: &str| {
            let locals = if locals == 0 { String::new() } else { format!("(local {})", "i32 ".repeat(locals)) };
            format!("(module (func {locals} {body}))")
        };
        let body = |bytes: usize| function(0, &"nop ".repeat(bytes));
        let locals = |count: usize| function(count, "");
        let functions = |count: usize| format!("(module {})", "(func)".repeat(count));
        let nesting = |depth: usize| function(0, &format!("{}{}", "block ".repeat(depth), "end ".repeat(depth)));
        let targets = |count: usize| function(0, &format!("(br_table {} (i32.const 0))", "0 ".repeat(count)));
        let locals_for_work = bounds.locals / 2;
        let work = |work: usize| function(usize::try_from(locals_for_work).unwrap(), &"nop ".repeat(work));
        type Bomb<'a> = (&'a str, u64, &'a dyn Fn(usize) -> String);
        let cases: [Bomb<'_>; 6] = [
            ("one of its functions", bounds.body, &body),
            ("locals in one function", bounds.locals, &locals),
            ("functions", bounds.functions, &functions),
            ("blocks inside", bounds.nesting, &nesting),
            ("branch targets", bounds.targets, &targets),
            ("times locals", bounds.work / locals_for_work, &work),
        ];
        for (what, bound, module) in cases {
            let [half, double] = half_and_double(bound);
            assert_eq!(message(&module(half)), None, "{what}");
            let refused = message(&module(double)).unwrap_or_else(|| panic!("{what} passed"));
            assert!(refused.contains(what), "{refused}");
        }
    }

    #[test]
    fn a_bomb_inside_a_component_is_found() {
        let bounds = ModuleBounds::default().bounds();
        let deep = usize::try_from(bounds.nesting + 1).unwrap();
        let core = format!("(core module (func {}{}))", "block ".repeat(deep), "end ".repeat(deep));
        assert!(message(&format!("(component (component {core}))")).is_some());
    }

    #[test]
    fn what_cannot_be_read_is_no_module() {
        let cut = scan(b"\0asm\x01\0\0\0\x0a\xff", &ModuleBounds::default().bounds());
        assert!(matches!(cut, Err(LoadError::Refused(NotStarted::BadModule, _))), "{cut:?}");
    }
}
