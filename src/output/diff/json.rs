//! A comparison as versioned JSON, and the JSON Schema of exactly that.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::Diff;
use crate::output::json::pretty;

/// What the file says that it is.
pub const FORMAT: &str = "trustprobe/diff";
/// The version of the format; a newer major one means something else.
pub const VERSION: &str = "1.0";

/// What differs between two records of trusts.
#[derive(Serialize, JsonSchema)]
struct Compared<'a> {
    /// What this is.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// The version of the format, major and minor.
    #[schemars(extend("pattern" = r"^1\.[0-9]+$"))]
    version: &'static str,
    #[serde(flatten)]
    diff: &'a Diff,
}

/// The comparison as pretty-printed JSON with a final line break, safe to print.
pub fn render(diff: &Diff) -> anyhow::Result<String> {
    pretty(&Compared { format: FORMAT, version: VERSION, diff })
}

/// The JSON Schema of what [`render`] writes.
pub fn schema() -> anyhow::Result<String> {
    // What is left out when it is empty is not required.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    pretty(&settings.into_generator().into_root_schema_for::<Compared>())
}
