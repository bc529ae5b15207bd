//! Progress of slow steps: a spinner on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::ProgressBar;

/// A step in progress. If it is dropped without [`Step::done`], nothing is printed, since the
/// caller prints the error.
#[derive(Debug)]
pub struct Step {
    spinner: Option<ProgressBar>,
}

impl Step {
    /// Prints the name of the step, e.g. "starting PostgreSQL".
    pub fn begin(what: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("kontor: {what} ...");
            return Self { spinner: None };
        }
        let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(100));
        Self { spinner: Some(spinner) }
    }

    /// Prints the result of the step.
    pub fn done(self, result: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
        eprintln!("kontor: {result}");
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
