use super::*;

fn compiled(source: &str) -> Result<Compiled, Fault> {
    let parsed = parse(source)?;
    let mut tested = BTreeSet::new();
    parsed.tests(&mut tested);
    parsed.check(&Scope { names: global_names(), tested })
}

fn fault(source: &str) -> (usize, String) {
    let fault = on_own_thread(|| compiled(source).unwrap_err()).unwrap();
    (fault.at, fault.text)
}

#[test]
fn mistakes_are_told_with_their_place() {
    for source in [
        "facts.servrs.all(s, true)",
        "servers.size() > 0",
        "facts.servers.all(s, s.nam == 'x')",
        "facts.servers.all(s, s.build > '15')",
        "size(facts.servers) > '1'",
        "facts.auth_config.next.stored == ''",
        "facts.servers.al(s, true)",
        "facts.virtual_directories.all(v, v.kind == 'esw')",
        "1 +",
        "ü == 1 && facts.x",
        "now + 5 > now",
        "has(facts.auth_config.next) && facts.auth_config.next.stored == ''",
        "now + duration('5x') > now",
        "facts.servers[0]",
        "{'a': 1}",
        "1.5 < 2.0",
        "facts.servers.map(s, s.certificates)",
        "true ? 1 : 'a'",
        "trust.tenant.size() == 3",
        "'abc'.matches('a')",
        "facts.servers.all(a, facts.servers.all(b, facts.servers.all(c, facts.servers.all(d, facts.servers.all(e, true)))))",
    ] {
        match on_own_thread(|| compiled(source)).unwrap() {
            Err(Fault { at, text }) => println!("{source}\n{}^ {text}", " ".repeat(at)),
            Ok(it) => println!("{source}\n   ok: {}", it.of.name()),
        }
    }
    let _ = fault;
}
