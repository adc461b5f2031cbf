import { withPassword } from '../inside.ts'
import type { HostedClient, HostedPlace, Inside } from '../service-type.ts'

/** What a server sends as it makes it ends in a mark of 40 bytes, which the client leaves in a stream, and says so first. */
const dump = `cd /tmp && mkdir own.$$ && cd own.$$ && mkfifo all || exit 1
tail -c 40 <all >mark &
{ ask --rdb - 2>said; echo $? >code; } | tee all | head -c -40
wait
grep -q 'EOF marker' said || cat mark
code=$(cat code)
[ "$code" = 0 ] || cat said >&2
cd /tmp && rm -r own.$$
exit "$code"`

export function hostedRedis(client: string, field: string) {
  return ({ host, port, username, password, isEncrypted }: HostedPlace): HostedClient => {
    const user = username === 'default' ? '' : username
    const ask = `[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
host=$1 port=$2 user=$3
ask() { ${client} -h "$host" -p "$port" \${user:+--user "$user"} ${isEncrypted ? '--tls ' : ''}--no-auth-warning "$@"; }
`
    const run = (script: string): Inside =>
      withPassword('REDISCLI_AUTH', ask + script, { words: [host, String(port), user], password })
    return {
      data: '',
      version: run(
        `said=$(ask -e INFO server) || { printf '%s\\n' "$said"; exit 1; }
printf '%s\\n' "$said" | tr -d '\\r' | sed -n 's/^${field}://p'`,
      ),
      dump: () => run(dump),
    }
  }
}
