import { inspect } from 'node:util'
import { startFakeAws } from './start-fake-aws.ts'

/** `npm run fake-aws [FACTOR]`: an account on this machine, until Ctrl-C. */
const say = (text: string) => void process.stdout.write(`${text}\n`)
const [factor = '20'] = process.argv.slice(2)
if (!(Number(factor) > 0)) {
  say('usage: npm run fake-aws [FACTOR], where FACTOR is how many times faster than AWS it is (20)')
  process.exit(2)
}
const aws = await startFakeAws({ factor: Number(factor) })
const { region, credentials } = aws.access()

say(`A fake AWS account answers at ${aws.endpoint}, ${factor} times faster than AWS. Ctrl-C ends it.

export AWS_ENDPOINT_URL=${aws.endpoint}
export AWS_REGION=${region}
export AWS_ACCESS_KEY_ID=${credentials?.accessKeyId}
export AWS_SECRET_ACCESS_KEY=${credentials?.secretAccessKey}
export RACK_AWS_CLOCK=${factor}

The load balancer's port 80 is http://127.0.0.1:${aws.loopbackPort('web', 80)}. What a rack's stacks would have made:
${JSON.stringify(aws.places, null, 2)}`)

const { promise: ended, resolve: end } = Promise.withResolvers<void>()
process.once('SIGINT', end)
process.once('SIGTERM', end)
await ended
say('\nEnding its tasks …')
await aws.close()
for (const trouble of aws.troubles) say(inspect(trouble))
process.exitCode = aws.troubles.length === 0 ? 0 : 1
