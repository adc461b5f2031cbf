import { execFile, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findGo } from '../../scripts/bundle/compile-tool.ts'
import { until } from '../../src/lib/poll.ts'

const root = join(import.meta.dirname, '../..')
/** Versions of the plugin and of all that it stands on. */
const module = join(root, 'scripts/go/session-manager-plugin')
const source = 'github.com/aws/session-manager-plugin/src/sessionmanagerplugin-main'
const target = join(root, '.cache/go/session-manager-plugin')

/**
 * Compiles AWS's own client of sessions, which the AWS CLI starts for `aws ecs execute-command`.
 * @returns its path; or why it cannot be had here
 */
export async function buildSessionPlugin(signal: AbortSignal): Promise<{ path: string } | { why: string }> {
  await mkdir(dirname(target), { recursive: true })
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -trimpath' }
  try {
    await promisify(execFile)(await findGo(), ['build', '-o', target, source], { cwd: module, env, signal })
    return { path: target }
  } catch (error) {
    signal.throwIfAborted()
    return { why: `Go does not compile AWS's session plugin here: ${(error as Error).message}` }
  }
}

/** A session of ECS, as ExecuteCommand gives it. */
interface Session {
  sessionId?: string
  streamUrl?: string
  tokenValue?: string
}

const patienceMs = 30_000

/** Runs it on a terminal of 40 rows and 100 columns, as a person would. */
export function startSessionPlugin(path: string, session: Session) {
  const { sessionId, streamUrl, tokenValue } = session
  const response = JSON.stringify({ SessionId: sessionId, StreamUrl: streamUrl, TokenValue: tokenValue })
  const words = `"$AWS_SSM_START_SESSION_RESPONSE" eu-test-1 StartSession '' '{"Target":"ecs:r1"}' https://ssm.invalid`
  const child = spawn('script', ['-qec', `stty rows 40 cols 100; exec ${path} ${words}`, '/dev/null'], {
    env: {
      ...process.env,
      AWS_SSM_START_SESSION_RESPONSE: response,
      // It would look for credentials to sign with, which an account asks for by policy alone.
      SSM_PLUGIN_SKIP_CLIENT_CONFIGURE: 'true',
    },
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    output: () => output,
    type: (text: string) => void child.stdin.write(text),
    async untilSaid(pattern: RegExp) {
      await until(() => pattern.test(output), {
        deadlineMs: patienceMs,
        what: () => `${pattern}; the plugin said: ${output.slice(-2000)}`,
      })
    },
    ended,
    kill: () => void child.kill(),
  }
}
