import { parseArgs } from 'node:util'
import { printFailure, SetupError } from '../scripts/steps/progress.ts'
import { ensureNeeds, type Needs } from './needs.ts'

interface Bench {
  needs: Needs
  load: () => Promise<(options: Options) => Promise<void>>
}

/** How much of it: each has a size for the ordinary run. */
interface Options {
  /** Of `rollout`: deploys of the app, shared out among the loads; of `names`: for each client. */
  deploys?: number
  /** Of `many`: the most apps. */
  apps?: number
  /** Of `links`, `tls` and `remote`: how many pairs of runs; and of `links` how long each. */
  rounds?: number
  seconds?: number
}

const compose = process.env['COMPOSE'] === undefined ? ['docker-compose'] : []

/** `npm run bench [deploy rollout router tls remote names cli memory logs many manifest upload held services links account account-memory account-calls]`: each prints ratios that were measured side by side in this run. */
const benches: Record<string, Bench> = {
  deploy: {
    needs: { packages: ['haproxy', ...compose], images: ['node:24-slim'] },
    load: async () => (await import('./deploy.ts')).benchDeploy,
  },
  rollout: {
    needs: { packages: ['haproxy'], images: ['node:24-slim'] },
    load: async () => (await import('./rollout.ts')).benchRollout,
  },
  router: {
    needs: { packages: ['haproxy', 'wrk'], images: ['node:24-slim'] },
    load: async () => (await import('./router.ts')).benchRouter,
  },
  tls: {
    needs: { packages: ['haproxy', 'wrk', 'nghttp2-client'], images: ['node:24-slim'] },
    load: async () => (await import('./tls.ts')).benchTls,
  },
  remote: {
    needs: { packages: ['haproxy', 'openssh-client', 'openssh-server'], images: ['node:24-slim'] },
    load: async () => (await import('./remote.ts')).benchRemote,
  },
  names: {
    needs: { packages: ['haproxy', 'nftables'], images: ['node:24-slim'] },
    load: async () => (await import('./names.ts')).benchNames,
  },
  cli: {
    needs: { packages: ['haproxy'], images: ['node:24-slim'] },
    load: async () => (await import('./cli.ts')).benchCli,
  },
  memory: {
    needs: { packages: ['haproxy'], images: ['busybox:1'] },
    load: async () => (await import('./memory.ts')).benchMemory,
  },
  logs: {
    needs: { packages: ['haproxy'], images: ['busybox:1'] },
    load: async () => (await import('./logs.ts')).benchLogs,
  },
  many: {
    needs: { packages: ['haproxy'], images: ['busybox:1'] },
    load: async () => (await import('./many.ts')).benchMany,
  },
  held: {
    needs: { packages: ['haproxy'], images: ['busybox:1'] },
    load: async () => (await import('./held.ts')).benchHeld,
  },
  upload: {
    needs: { packages: ['haproxy'], images: ['busybox:1'] },
    load: async () => (await import('./upload.ts')).benchUpload,
  },
  services: {
    needs: { packages: ['haproxy', 'postgresql', 'zstd'], images: ['postgres:15'] },
    load: async () => (await import('./services.ts')).benchServices,
  },
  links: {
    needs: { packages: ['haproxy'], images: ['postgres:15'] },
    load: async () => (await import('./links.ts')).benchLinks,
  },
  account: {
    needs: { packages: ['docker-registry'], images: ['busybox:1'] },
    load: async () => (await import('./account.ts')).benchAccount,
  },
  'account-memory': {
    needs: { packages: ['haproxy', 'docker-registry'], images: ['busybox:1'] },
    load: async () => (await import('./account.ts')).benchAccountMemory,
  },
  'account-calls': {
    needs: { packages: ['docker-registry'], images: ['busybox:1'] },
    load: async () => (await import('./account.ts')).benchAccountCalls,
  },
  manifest: {
    needs: { packages: compose, images: [] },
    load: async () => (await import('./manifest.ts')).benchManifest,
  },
}

async function runBenches(asked: string[], options: Options): Promise<void> {
  const names = asked.length > 0 ? asked : Object.keys(benches)
  const unknown = names.filter((name) => !Object.hasOwn(benches, name))
  if (unknown.length > 0) {
    const all = Object.keys(benches).join(' ')
    throw new SetupError(`there is no benchmark "${unknown[0]}"`, `Type: npm run bench -- ${all}`)
  }
  for (const name of names) {
    const { needs, load } = benches[name]!
    await ensureNeeds(needs)
    console.log(`\n# ${name}`)
    const bench = await load()
    await bench(options)
  }
}

function readArguments(): { names: string[]; options: Options } {
  const size = { type: 'string' } as const
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { deploys: size, apps: size, rounds: size, seconds: size },
  })
  const options: Options = {}
  for (const [name, text] of Object.entries(values)) {
    if (!/^[1-9][0-9]{0,3}$/.test(text)) {
      throw new SetupError(`--${name} is a whole number from 1 to 9999, not "${text}"`, `Type: --${name} 100`)
    }
    options[name as keyof Options] = Number(text)
  }
  return { names: positionals, options }
}

try {
  const { names, options } = readArguments()
  await runBenches(names, options)
} catch (error) {
  printFailure('bench', error)
}
