import { inspect } from 'node:util'
import { authorityUrl } from './databases/certificates.ts'
import { startFakeAws } from './start-fake-aws.ts'

/** `npm run fake-aws [FACTOR]`: an account on this machine, until Ctrl-C. */
const say = (text: string) => void process.stdout.write(`${text}\n`)
const [factor = '20'] = process.argv.slice(2)
if (!(Number(factor) > 0)) {
  say('usage: npm run fake-aws [FACTOR], where FACTOR is how many times faster than AWS it is (20)')
  process.exit(2)
}
/** Where this machine's own ports would be in the way. */
const ports = new Map([
  [80, 8080],
  [443, 8443],
])
const aws = await startFakeAws({
  // Its names are of one rack: the one that is installed when no name is said.
  rack: 'rack',
  factor: Number(factor),
  isEmpty: true,
  listenOn: (port) => ports.get(port) ?? port,
})
const { region, credentials } = aws.access()

say(`A fake AWS account, empty, answers at ${aws.endpoint}, ${factor} times faster than AWS. Ctrl-C ends it.

export AWS_ENDPOINT_URL=${aws.endpoint}
export AWS_REGION=${region}
export AWS_ACCESS_KEY_ID=${credentials?.accessKeyId}
export AWS_SECRET_ACCESS_KEY=${credentials?.secretAccessKey}
export RACK_AWS_CLOCK=${factor}
export RACK_DATABASE_AUTHORITIES='${authorityUrl(aws.databaseAuthority)}'

rack install aws --region ${region} --daemon here --domain localhost

Its balancers listen on 127.0.0.1: web on 8080 (TLS: 8443), other ports on their own number.`)

const { promise: ended, resolve: end } = Promise.withResolvers<void>()
process.once('SIGINT', end)
process.once('SIGTERM', end)
await ended
say('\nEnding its tasks …')
await aws.close()
for (const trouble of aws.troubles) say(inspect(trouble))
process.exitCode = aws.troubles.length === 0 ? 0 : 1
