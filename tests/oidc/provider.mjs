// A provider on loopback that believes every name: `node provider.mjs PORT SITE`. Its people are called by what they type; the subject is another word.
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [port, site] = process.argv.slice(2);
const jwk = (kind, options, more) => ({ ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }), use: "sig", ...more });
const client = (client_id, id_token_signed_response_alg, more = {}) => ({
  client_id, client_secret: "a secret/with+signs:and a colon", redirect_uris: [`${site}/login/oidc/callback`], grant_types: ["authorization_code"],
  response_types: ["code"], id_token_signed_response_alg, require_auth_time: true, ...more,
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client("rs256", "RS256"), client("ps256", "PS256"), client("es256", "ES256"),
    client("public", "RS256", { token_endpoint_auth_method: "none", client_secret: undefined }),
  ],
  jwks: { keys: [jwk("rsa", { modulusLength: 2048 }, { kid: "r" }), jwk("ec", { namedCurve: "P-256" }, { kid: "e" })] },
  cookies: { keys: ["only a test"] },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256"] },
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id.replace(/^subject-of-/, "") }) }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
