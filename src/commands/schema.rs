//! `trustprobe schema`.

use schemars::generate::SchemaSettings;

use crate::cli::SchemaOf;
use crate::decode::RecordedFacts;
use crate::exit::Code;
use crate::{output, stdout};

pub(crate) fn run(of: SchemaOf) -> anyhow::Result<Code> {
    fn of_type<T: schemars::JsonSchema>() -> anyhow::Result<String> {
        let generator = SchemaSettings::draft2020_12().into_generator();
        let schema = generator.into_root_schema_for::<T>();
        Ok(format!("{}\n", serde_json::to_string_pretty(&schema)?))
    }
    let text = match of {
        SchemaOf::Outcomes => output::json::schema()?,
        SchemaOf::Lines => output::jsonl::schema()?,
        SchemaOf::Inventory => output::inventory::schema()?,
        SchemaOf::Plan => output::plan::schema()?,
        SchemaOf::Diff => output::diff::json::schema()?,
        SchemaOf::Trace => output::trace::schema()?,
        SchemaOf::Facts => of_type::<RecordedFacts>()?,
        SchemaOf::Pack => of_type::<packs::Document>()?,
        SchemaOf::PackTest => of_type::<packs::Cases>()?,
    };
    stdout::print(&text)?;
    Ok(Code::Passed)
}
