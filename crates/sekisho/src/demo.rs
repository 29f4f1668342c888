//! `sekisho demo`: a city made up by seed, served at once. The line of JSON is a contract for scripts.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use sekisho_app::setup::signing_seed;
use sekisho_app::{Durability, Store, demo};
use sekisho_base::Clock as _;
use sekisho_base::clock::SystemClock;
use sekisho_base::entropy::OsEntropy;
use sekisho_web::{Bodies, Doors};
use serde_json::json;

use crate::body::Crew;
use crate::config::{Outcome, database, key_file, make_private, start_logging};
use crate::serve::{Listening, Open};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// デモ用の市を置くフォルダ（無ければ作る）
    #[arg(long, default_value = "sekisho-demo")]
    data: PathBuf,
    /// 待ち受けるアドレス
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// 市を決める数。同じ数なら同じ市になる
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 作るだけで動かさない
    #[arg(long)]
    make_only: bool,
}

pub(crate) async fn run(args: Args) -> Outcome {
    start_logging();
    if !args.listen.ip().is_loopback() {
        return Err(
            "デモはこの機械の中だけで動かします。--listen には 127.0.0.1 のアドレスを指定してください。"
                .to_owned(),
        );
    }
    make_private(&args.data)?;
    let entropy = Arc::new(OsEntropy);
    let (file, key) = (database(&args.data), key_file(&args.data, None));
    if !file.is_file() {
        eprintln!("デモ用の市を作っています（数十秒かかります）…");
        // Nothing of a city that is still being made needs to survive a power cut.
        let store = Store::open_sqlite(&file, Durability::Off).await.map_err(|e| e.to_string())?;
        let seed = signing_seed(&store, &key, entropy.as_ref()).await.map_err(|e| e.to_string())?;
        demo::make_city(store.clone(), seed, args.seed, SystemClock.today())
            .await
            .map_err(|e| e.to_string())?;
        store.close().await;
    }
    let store = Store::open_sqlite(&file, Durability::Full).await.map_err(|e| e.to_string())?;
    let seed = signing_seed(&store, &key, entropy.as_ref()).await.map_err(|e| e.to_string())?;
    let office = demo::open(store, seed, args.seed, Arc::new(SystemClock), entropy)
        .await
        .map_err(|e| e.to_string())?;
    let logins = demo::logins(&office, args.seed).await.map_err(|e| e.to_string())?;
    if args.make_only {
        office.store.clone().close().await;
        return Ok(std::process::ExitCode::SUCCESS);
    }
    office.offer_demo_logins(logins.clone());
    let listening =
        Listening::to(Open { listen: args.listen, metrics: None, tls: None, cards: vec![] }).await?;
    office.use_site(Some(&format!("http://localhost:{}", listening.address.port())));
    let (address, bodies) = (listening.address, Bodies::only(Arc::clone(&office), false, Doors::default()));
    let crew = Crew::new(bodies, address);
    crew.start(office, vec![]).await;
    let list: Vec<_> = logins
        .iter()
        .map(|l| json!({"login": l.login, "password": l.password, "role": l.role, "name": l.name}))
        .collect();
    println!("{}", json!({"ready": format!("http://{address}"), "logins": list}));
    let _ = std::io::stdout().flush();
    eprintln!("http://{address} をブラウザで開いてください。止めるときは Ctrl+C。");
    for l in &logins {
        eprintln!("  {:<12} {:<16} {} {}", l.login, l.password, l.title, l.name);
    }
    listening.serve(crew, vec![]).await
}
