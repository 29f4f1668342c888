//! What the home page tells a person besides the tasks of cases.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;

/// One thing to know, with where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct News {
    /// What happened or waits.
    pub text: String,
    /// Where it leads.
    pub href: String,
    /// Words of the link.
    pub label: String,
}

impl Office {
    /// Everything the home page tells somebody.
    pub(crate) async fn news(&self, who: &Identity, me: &Me) -> Result<Vec<News>, AppError> {
        let mut news = Vec::new();
        if who.barred {
            news.push(News {
                text: "ほかの人があなたのパスワードか多要素認証を設定し直したため、引取りが確かめられるまで、決裁などの処理ができません。".to_owned(),
                href: "/account".to_owned(),
                label: "くわしく".to_owned(),
            });
        }
        news.extend(self.absence_news(me.directory(), &me.person).await?);
        news.extend(self.delegation_news(&me.person).await?);
        news.extend(self.proposal_news(me).await?);
        news.extend(self.pack_news(me).await?);
        Ok(news)
    }
}
