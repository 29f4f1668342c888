//! The command line's own words in Japanese: headings, help, and what is wrong with what was typed. The library behind it speaks English.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, Error, Parser};

const TEMPLATE: &str = "{about-with-newline}\n使い方: {usage}\n\n{all-args}";

/// What the program was called with; otherwise the code with which it ends, after the help or the fault was printed.
pub(crate) fn parse<P: Parser>(typed: impl IntoIterator<Item = OsString>) -> Result<P, ExitCode> {
    let matches = spoken(P::command()).try_get_matches_from(typed);
    matches.and_then(|mut m| P::from_arg_matches_mut(&mut m)).map_err(|e| {
        let text = said(&e);
        match e.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => print!("{text}"),
            _ => eprint!("{text}"),
        }
        u8::try_from(e.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
    })
}

/// The command with Japanese headings, all the way down.
fn spoken(command: Command) -> Command {
    let version = command.get_version().is_some();
    let flag = |id: &'static str, short, action, help: &'static str| {
        Arg::new(id).long(id).short(short).action(action).help(help)
    };
    let mut command = command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令")
        .arg(flag("help", 'h', ArgAction::Help, "使い方を表示する"));
    if version {
        command = command.arg(flag("version", 'V', ArgAction::Version, "版を表示する"));
    }
    command.mut_args(arg).mut_subcommands(spoken)
}

fn arg(arg: Arg) -> Arg {
    let heading = if arg.is_positional() { "引数" } else { "オプション" };
    let arg = arg.help_heading(heading);
    if !arg.get_action().takes_values() {
        return arg;
    }
    let mut help = arg.get_help().map(StyledStr::to_string).unwrap_or_default();
    let values: Vec<_> = arg.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
    if !values.is_empty() {
        help.push_str(&format!("［{} のどれか］", values.join("、")));
    }
    let default: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
    if default.iter().any(|d| !d.is_empty()) {
        help.push_str(&format!("［既定値 {}］", default.join("、")));
    }
    arg.help(help).hide_default_value(true).hide_possible_values(true)
}

/// What is printed for help or a fault.
fn said(e: &Error) -> String {
    let about = |kind| e.get(kind).map(words).unwrap_or_default();
    let (arg, value) = (about(ContextKind::InvalidArg), about(ContextKind::InvalidValue));
    let fault = match e.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return e.render().to_string().replace("[OPTIONS]", "[オプション]");
        }
        ErrorKind::UnknownArgument => format!("「{arg}」という引数やオプションはありません。"),
        ErrorKind::InvalidSubcommand => {
            format!("「{}」という命令はありません。", about(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => "命令を指定してください。".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("{arg} を指定してください。"),
        ErrorKind::InvalidValue if value.is_empty() => format!("{arg} の値を指定してください。"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("{arg} に「{value}」は指定できません。")
        }
        ErrorKind::ArgumentConflict => {
            let prior = about(ContextKind::PriorArg);
            if prior == arg || prior.is_empty() {
                format!("{arg} は1度だけ指定できます。")
            } else {
                format!("{arg} と {prior} は一緒に指定できません。")
            }
        }
        ErrorKind::InvalidUtf8 => "引数の文字を読めません（UTF-8で指定してください）。".to_owned(),
        ErrorKind::TooFewValues
        | ErrorKind::TooManyValues
        | ErrorKind::WrongNumberOfValues
        | ErrorKind::NoEquals => {
            format!("{arg} の値の数か書き方が違います。")
        }
        kind => format!("引数が正しくありません（{kind}）。"),
    };
    let mut text = format!("sekisho: {fault}");
    for near in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
        let near = about(near);
        if !near.is_empty() {
            text.push_str(&format!("「{near}」のことですか。"));
        }
    }
    let valid = about(ContextKind::ValidValue);
    if !valid.is_empty() {
        text.push_str(&format!("指定できるのは {valid} です。"));
    }
    let usage = about(ContextKind::Usage);
    if let Some(usage) = usage.trim().strip_prefix("Usage: ") {
        text.push_str(&format!("\n使い方: {}", usage.replace("[OPTIONS]", "[オプション]")));
    }
    format!("{text}\nくわしくは --help を付けて動かしてください。\n")
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(all) => all.join("、"),
        ContextValue::StyledStrs(all) => all.iter().map(StyledStr::to_string).collect::<Vec<_>>().join("、"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::Cli;

    fn fault(typed: &[&str]) -> String {
        let all = ["sekisho"].iter().chain(typed);
        said(&spoken(Cli::command()).try_get_matches_from(all).unwrap_err())
    }

    /// Words of the library that must not come through.
    const ENGLISH: [&str; 12] = [
        "Usage",
        "Options",
        "OPTIONS",
        "Arguments",
        "Commands",
        "COMMAND",
        "Print",
        "[default",
        "[possible",
        "error:",
        "try '",
        "tip:",
    ];

    fn every_help(command: &mut Command, path: &str, helps: &mut Vec<(String, String)>) {
        let text = command.render_long_help().to_string().replace("[OPTIONS]", "[オプション]");
        helps.push((path.to_owned(), text));
        for sub in command.get_subcommands_mut() {
            let path = format!("{path} {}", sub.get_name());
            every_help(sub, &path, helps);
        }
    }

    #[test]
    fn every_help_is_japanese() {
        let mut command = spoken(Cli::command());
        command.build();
        let mut helps = Vec::new();
        every_help(&mut command, "sekisho", &mut helps);
        assert!(helps.len() > 30, "{}", helps.len());
        for (path, text) in helps {
            for word in ENGLISH {
                assert!(!text.contains(word), "{path}: {word} in {text}");
            }
            assert!(text.contains("使い方: ") && text.contains("使い方を表示する"), "{path}: {text}");
        }
    }

    #[test]
    fn faults_name_what_was_typed_and_what_may_be() {
        let cases: [(&[&str], &str); 9] = [
            (&["sreve"], "「sreve」という命令はありません。「restore、serve」のことですか。"),
            (
                &["serve", "--lisen", "x"],
                "「--lisen」という引数やオプションはありません。「--listen」のことですか。",
            ),
            (&["policy", "parse"], "<FILE> を指定してください。"),
            (
                &["policy", "parse", "f", "--format", "pdf"],
                "に「pdf」は指定できません。指定できるのは json、text、md です。",
            ),
            (&["policy", "parse", "f", "--format"], "の値を指定してください。"),
            (&["policy", "parse", "f", "--format", "md", "--format", "md"], "は1度だけ指定できます。"),
            (&["demo", "--seed", "many"], "--seed <SEED> に「many」は指定できません。"),
            (&["policy", "parse", "f", "g"], "「g」という引数やオプションはありません。"),
            (&["policy"], "使い方: sekisho policy <命令>"),
        ];
        for (typed, says) in cases {
            let text = fault(typed);
            assert!(text.contains(says), "{typed:?}: {text}");
            for word in ENGLISH {
                assert!(!text.contains(word), "{typed:?}: {word} in {text}");
            }
        }
    }
}
