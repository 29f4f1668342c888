-- Networks from which a program's token may be used, as text between commas; empty: none of its own. `refused_at`: when a use from elsewhere was
-- last recorded.
ALTER TABLE api_token ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE api_token ADD COLUMN refused_at TEXT;

-- Certificates of cards by which somebody came in, so that officers can compare them with the card. They open nothing by themselves: every login
-- asks the authority's certificate and revocation list again.
CREATE TABLE account_card (login TEXT NOT NULL REFERENCES account (login), fingerprint TEXT NOT NULL, issuer TEXT NOT NULL, serial TEXT NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL, PRIMARY KEY (login, fingerprint));
