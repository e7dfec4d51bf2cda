// npm's @supabase/lite on its PostgreSQL driver, for bench.data_api: URL and JWT secret.
import { serve } from "@hono/node-server";
import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";

const [url, secret] = process.argv.slice(2);
const connection = createPostgresConnection({ url });
const app = new App({ connection, auth: { enabled: true, jwt_secret: secret } });

const fetch = (request, { incoming }) =>
  app.fetch(request, { peerAddress: incoming.socket.remoteAddress ?? null });
serve({ hostname: "127.0.0.1", port: 0, fetch }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`);
});
