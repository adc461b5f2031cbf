import { openStore } from '../../src/store/open-store.ts'

/**
 * Run as a program where the given directory is a small disk: appends releases until one is refused, then prints, as
 * one line of JSON, how many were acknowledged, how many are there, and what the refusal was.
 */
const [directory = '', keyFile = ''] = process.argv.slice(2)
const store = await openStore({ rack: 'home', directory, keyFile })
await store.apps.create('shop')
const draft = {
  build: null,
  environment: { BULK: 'x'.repeat(20_000) },
  description: 'bulk',
  basedOn: null,
  links: [],
}
let acknowledged = 0
const fill = async (): Promise<never> => {
  for (;;) {
    await store.releases.append('shop', () => draft)
    acknowledged++
  }
}
const { code, hint } = await fill().catch((error: unknown) => error as { code: string; hint: string })
await store.close()
const again = await openStore({ rack: 'home', directory, keyFile })
const kept = (await again.releases.list('shop', 2000)).length
process.stdout.write(JSON.stringify({ acknowledged, kept, code, hint }))
