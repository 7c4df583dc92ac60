use super::*;

fn read_usual(text: &str) -> Tree {
    read(text, &Limits::USUAL)
}

fn wrap(inner: &str) -> String {
    format!(
        "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">\
             {inner}</Objs>"
    )
}

fn only(inner: &str) -> Object {
    let tree = read_usual(&wrap(inner));
    assert!(tree.problem.is_none(), "{:?}", tree.problem);
    Object::clone(tree.objects.last().unwrap())
}

#[test]
fn every_kind_of_member_is_read() {
    let object = only(
        "<Obj RefId=\"0\"><TN RefId=\"0\"><T>Selected.Contoso.Thing</T><T>System.Object</T></TN>\
             <ToString>a thing</ToString><Props><S N=\"S\">a &amp; b</S><B N=\"B\">true</B>\
             <I32 N=\"I\">-7</I32><Nil N=\"N\" /><BA N=\"BA\">AQI=</BA>\
             <DT N=\"D\">2027-01-10T09:00:00+01:00</DT><DT N=\"L\">2027-01-10T09:00:00</DT>\
             <Obj N=\"E\" RefId=\"1\"><TN RefId=\"1\"><T>X</T></TN><ToString>Accepted</ToString><I32>3</I32></Obj>\
             <Obj N=\"K\" RefId=\"2\"><TNRef RefId=\"1\" /><LST><S>one</S><S>two</S></LST></Obj>\
             <Obj N=\"Empty\" RefId=\"3\"><LST /></Obj></Props>\
             <MS><Ref N=\"R\" RefId=\"1\" /><S N=\"PSComputerName\">ex1</S></MS></Obj>",
    );
    assert_eq!(object.type_name, "Thing");
    assert_eq!(object.text, "a thing");
    assert_eq!(object.text("s"), "a & b");
    assert_eq!(object.get("B"), Some(&Value::Bool(true)));
    assert_eq!(object.get("I"), Some(&Value::Number("-7".into())));
    assert_eq!(object.get("N"), Some(&Value::Null));
    assert_eq!(object.get("BA"), Some(&Value::Bytes(vec![1, 2])));
    assert_eq!(
        object.get("D").and_then(Value::as_time).map(|time| time.to_string()),
        Some("2027-01-10T08:00:00Z".into())
    );
    assert_eq!(object.get("L").and_then(Value::as_time), None);
    assert_eq!(object.text("E"), "Accepted");
    assert_eq!(object.text("R"), "Accepted");
    assert_eq!(object.get("K").unwrap().elements().len(), 2);
    assert_eq!(object.get("Empty").unwrap().elements().len(), 0);
    assert_eq!(object.text("PSComputerName"), "ex1");
}

#[test]
fn utf16_units_are_unescaped() {
    assert_eq!(unescape("a_x000D__x000A_b"), "a\r\nb");
    assert_eq!(unescape("_x005F_x000D_"), "_x000D_");
    assert_eq!(unescape("_xD83D__xDE00_"), "\u{1f600}");
    assert_eq!(unescape("_xZZZZ_ _x00"), "_xZZZZ_ _x00");
    assert_eq!(unescape("_xé00D_"), "_xé00D_");
}

#[test]
fn what_is_complete_before_a_cut_is_kept() {
    let whole = wrap(
        "<Obj RefId=\"0\"><Props><S N=\"A\">1</S></Props></Obj>\
             <Obj RefId=\"1\"><Props><S N=\"B\">2</S></Props></Obj>",
    );
    let cut = &whole[..whole.len() - 40];
    let tree = read_usual(cut);
    assert_eq!(tree.objects.len(), 1);
    assert_eq!(tree.problem.clone().unwrap().reason, Reason::Truncated);
}

#[test]
fn doctype_entities_depth_and_self_reference_do_no_harm() {
    let doctype = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", wrap(""));
    assert_eq!(read_usual(&doctype).problem.clone().unwrap().reason, Reason::Malformed);
    let entity = wrap("<Obj RefId=\"0\"><Props><S N=\"A\">&boom;</S></Props></Obj>");
    assert_eq!(read_usual(&entity).problem.clone().unwrap().reason, Reason::Malformed);
    let deep = wrap(&"<Obj RefId=\"0\"><Props>".repeat(5000));
    assert_eq!(read_usual(&deep).problem.clone().unwrap().reason, Reason::TooLarge);
    let own = only("<Obj RefId=\"0\"><Props><Ref N=\"Me\" RefId=\"0\" /></Props></Obj>");
    assert_eq!(own.get("Me"), Some(&Value::Null));
}

#[test]
fn a_problem_names_its_line() {
    let text = "<Objs>\n<Obj RefId=\"0\">\n<Props>\n<S N=\"A\">x</B>\n";
    let problem = read_usual(text).problem.clone().unwrap();
    assert_eq!(problem.line, 4);
}

#[test]
fn a_list_may_be_referred_to() {
    let tree = read_usual(&wrap(
        "<Obj RefId=\"0\"><Props>\
             <Obj N=\"A\" RefId=\"1\"><LST><S>x</S><S>y</S></LST></Obj>\
             <Ref N=\"B\" RefId=\"1\" /><Obj N=\"C\" RefId=\"2\"><LST /></Obj>\
             </Props></Obj>",
    ));
    let object = tree.objects.last().unwrap();
    let texts = |name: &str| -> Vec<String> {
        let elements = object.get(name).unwrap().elements();
        elements.iter().filter_map(Value::as_text).map(str::to_owned).collect()
    };
    assert_eq!(texts("A"), ["x", "y"]);
    assert_eq!(texts("B"), ["x", "y"]);
    assert_eq!(texts("C"), [""; 0]);
}

#[test]
fn a_type_may_be_referred_to_in_either_spelling() {
    let types = "<Obj RefId=\"0\"><TN RefId=\"0\"><T>a.AuthConfig</T></TN></Obj>";
    for reference in ["<TNRef RefId=\"0\" />", "<TNRef RefId=\"0\"></TNRef>"] {
        let tree = read_usual(&wrap(&format!("{types}<Obj RefId=\"1\">{reference}</Obj>")));
        assert_eq!(tree.objects[1].type_name, "AuthConfig", "{reference}");
    }
}

#[test]
fn a_long_chain_of_references_is_taken_down_without_recursion() {
    let link = |at: usize| {
        format!(
            "<Obj RefId=\"{at}\"><Props><Ref N=\"A\" RefId=\"{}\" /></Props></Obj>",
            at.wrapping_sub(1)
        )
    };
    let tree = read_usual(&wrap(&(0..300_000).map(link).collect::<String>()));
    assert_eq!(tree.objects.len(), 300_000);
    drop(tree);
}

#[test]
fn what_references_repeat_is_bounded() {
    let text = "x".repeat(limits::TEXT);
    let target = format!("<Obj RefId=\"0\"><ToString>{text}</ToString></Obj>");
    let references = "<Ref RefId=\"0\" />".repeat(Limits::USUAL.references / limits::TEXT + 1);
    let tree =
        read_usual(&wrap(&format!("{target}<Obj RefId=\"1\"><LST>{references}</LST></Obj>")));
    assert_eq!(tree.problem.clone().unwrap().reason, Reason::TooLarge);
    // References to references: ten times ten times ten, and so on.
    let level = |at: usize| {
        let references = format!("<Ref RefId=\"{}\" />", at - 1).repeat(10);
        format!("<Obj RefId=\"{at}\"><LST>{references}</LST></Obj>")
    };
    let laughs: String = (1..50).map(level).collect();
    let tree = read_usual(&wrap(&format!("{target}{laughs}")));
    assert_eq!(tree.problem.clone().unwrap().reason, Reason::TooLarge);
}
