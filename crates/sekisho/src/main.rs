//! The Sekisho program. One file per subcommand; nothing is decided here.

mod backup;
mod body;
mod case;
mod config;
mod demo;
mod doctor;
mod export;
mod handling;
mod ldap;
mod ledger;
mod mail;
mod org;
mod pack;
mod permit;
mod policy;
mod render_form;
mod restore;
mod serve;
mod settings;
mod settings_cli;
mod sign_in;
mod usage;
mod witness;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// 関所: 情報セキュリティ対策基準を動かす仕組み
#[derive(Debug, Parser)]
#[command(
    name = "sekisho",
    version,
    about = "関所：市区町村の情報セキュリティ対策基準を、許可、台帳、点検、証跡として動かす",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// デモ用の市を作って動かす
    Demo(demo::Args),
    /// データフォルダの市を動かす
    Serve(settings::Options),
    /// バックアップを作る・確かめる（サーバを動かしたままでよい）
    Backup(backup::Args),
    /// バックアップを新しい場所に戻す
    Restore(restore::Args),
    /// 動かすのに要るものがそろっているかを点検する
    Doctor(doctor::Args),
    /// 新しい版のプログラムで動かす前に、データがどう変わるかを写しで試す
    UpgradeCheck(doctor::UpgradeArgs),
    /// 設定を調べる
    Config(settings_cli::Args),
    /// 規程の文章を読み取る
    Policy(policy::Args),
    /// 規程データ（パック）を調べる
    Pack(pack::Args),
    /// これはできますか（情報を送る、持ち出すなどをしてよいかを答える）
    Handling(handling::Args),
    /// 庁内のディレクトリ（AD、LDAP）との接続を試す
    Ldap(ldap::Args),
    /// 証跡を書き出す・検証する
    Ledger(ledger::Args),
    /// 最初の組織と職員を取り込む、最初の管理者を登録する
    Org(org::Args),
    /// 案件の様子を調べる
    Case(case::Args),
    /// 規程と状態を、ほかの道具の形式で書き出す（OSCAL、CISO Assistant）
    Export(export::Args),
    /// 許可証を、サーバにつながらない所で確かめる
    Permit(permit::Args),
    /// 様式を1枚作る（サーバが自分で使う）
    #[command(hide = true)]
    RenderForm,
}

fn main() -> ExitCode {
    let cli: Cli = match usage::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let done = match cli.command {
        Command::RenderForm => render_form::run(),
        Command::Policy(args) => policy::run(&args),
        Command::Pack(args) => pack::run(&args),
        Command::Handling(args) => handling::run(args),
        Command::Demo(args) => config::on_runtime(demo::run(args)),
        Command::Serve(args) => config::on_runtime(serve::run(args)),
        Command::Backup(args) => config::on_runtime(backup::run(args)),
        Command::Restore(args) => config::on_runtime(restore::run(args)),
        Command::Doctor(args) => config::on_runtime(doctor::run(args)),
        Command::UpgradeCheck(args) => config::on_runtime(doctor::upgrade_check(args)),
        Command::Config(args) => settings_cli::run(args),
        Command::Ldap(args) => config::on_runtime(ldap::run(args)),
        Command::Ledger(args) => config::on_runtime(ledger::run(args)),
        Command::Case(args) => config::on_runtime(case::run(args)),
        Command::Export(args) => config::on_runtime(export::run(args)),
        Command::Permit(args) => config::on_runtime(permit::run(args)),
        Command::Org(args) => config::on_runtime(org::run(args)),
    };
    match done {
        Ok(code) => code,
        Err(e) => {
            eprintln!("sekisho: {}", sekisho_base::os::in_japanese(&e));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_subcommand_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
