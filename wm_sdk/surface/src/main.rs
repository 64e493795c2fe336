//! `sdk-surface compare [SDK]`: `wm_sdk/include` against the recorded list or against an SDK's own headers.
//! `sdk-surface record SDK ORIGIN`: the list anew. `scripts/check-sdk.sh` calls it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use sdk_surface::compare::{self, Difference};
use sdk_surface::facts::Kind;
use sdk_surface::record::{self, Surface};
use sdk_surface::{Result, bindings};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["compare"] => recorded().and_then(|(surface, origin)| compare(&surface, &origin)),
        ["compare", sdk] => record::sdk(Path::new(sdk)).and_then(|surface| compare(&surface, sdk)),
        ["record", sdk, origin] => record(Path::new(sdk), origin),
        _ => Err("sdk-surface compare [SDK] | record SDK ORIGIN".into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn recorded() -> Result<(Surface, String)> {
    let text = fs::read_to_string(bindings::root().join(record::PLACE))?;
    let origin = record::origin(&text).ok_or("the list does not name its origin")?.to_owned();
    Ok((record::read(&text)?, origin))
}

/// Whether nothing differs that may not.
fn compare(sdk: &Surface, origin: &str) -> Result<bool> {
    let own = record::own(None)?;
    let differences = compare::differences(&own, sdk);
    let (allowed, wrong): (Vec<&Difference>, Vec<&Difference>) =
        differences.iter().partition(|difference| difference.reason().is_some());
    println!("wm_sdk/include against {origin}");
    for difference in &allowed {
        println!("may: {difference}; it {}", difference.reason().unwrap_or_default());
    }
    for difference in &wrong {
        println!("DIFFERS: {difference}");
    }
    for kind in Kind::ALL {
        let of = |list: &[&Difference]| list.iter().filter(|difference| difference.kind == kind).count();
        let agreed = compare::agreed(&own, sdk, &differences, kind);
        println!("{kind:<8} {agreed:>4} agree, {:>3} differ and may, {:>3} differ", of(&allowed), of(&wrong));
    }
    Ok(wrong.is_empty())
}

fn record(sdk: &Path, origin: &str) -> Result<bool> {
    let text = record::write(&record::sdk(sdk)?, origin);
    fs::write(bindings::root().join(record::PLACE), text)?;
    println!("{}", record::PLACE);
    Ok(true)
}
