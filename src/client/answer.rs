//! What a command answers, and how that is printed before the server's own end of it.

use super::output::Output;
use super::{LinkRuntime, report};
use crate::options::ERROR_LINES;
use w800_mqtt_core::at::Code;
use w800_mqtt_core::at::answer::{self, LINE_END, PUB_FAIL, PUB_OK, Sink};

/// What the AT server is to print after what this library has printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerResult {
    /// `OK`
    Ok,
    /// `ERROR`
    Error,
    /// Nothing: the answer is whole.
    Nothing,
}

/// A command that did what it was asked to.
pub enum Answer {
    /// `OK`, behind this text.
    Ok(&'static [u8]),
    /// `ERROR`, behind this text instead of an error code.
    Refused(&'static [u8]),
    /// This text is the whole answer.
    Whole(&'static [u8]),
    /// The prompt is printed, and the server takes the data after it when the handler has returned.
    #[cfg(not(argv_line))]
    Prompted,
}

/// Prints what comes before the server's `OK` or `ERROR`; after a prompt by the right to print that was `prompted`.
pub fn conclude(answer: Result<Answer, Code>, prompted: Option<Output>) -> (ServerResult, Output) {
    let (text, code, closing) = match answer {
        #[cfg(not(argv_line))]
        Ok(Answer::Prompted) => return (ServerResult::Nothing, prompted.unwrap_or_else(Output::claim)),
        Ok(Answer::Ok(text)) => (text, None, ServerResult::Ok),
        Ok(Answer::Whole(text)) => (text, None, ServerResult::Nothing),
        Ok(Answer::Refused(text)) => (text, None, ServerResult::Error),
        Err(code) => (&b""[..], Some(code), ServerResult::Error),
    };
    let behind_prompt = prompted.is_some();
    let mut output = prompted.unwrap_or_else(Output::claim_for_answer);
    if behind_prompt && closing != ServerResult::Ok {
        output.write(LINE_END);
    }
    if !text.is_empty() {
        output.write(text);
    }
    if let Some(code) = code {
        print_error(&mut output, code);
    }
    (closing, output)
}

/// Prints the error line of a command that was not run.
#[cfg(argv_line)]
pub fn refuse(code: Code) -> Output {
    let mut output = Output::claim();
    print_error(&mut output, code);
    output
}

fn print_error(output: &mut Output, code: Code) {
    if ERROR_LINES {
        answer::error(output, code);
    }
}

/// The end of PUBRAW after its data.
pub fn published_raw(runtime: &LinkRuntime, published: Result<(), Code>) -> Answer {
    Answer::Whole(match published {
        Ok(()) => PUB_OK,
        Err(code) => {
            report::command_failed(Some(runtime.index), code);
            PUB_FAIL
        }
    })
}

/// Ends the line that a prompt has left open, and gives the right to print up.
pub fn end_prompt(prompted: &mut Option<Output>) {
    if let Some(mut output) = prompted.take() {
        output.write(LINE_END);
    }
}
