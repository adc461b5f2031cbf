import { openStore } from '../../src/store/open-store.ts'

/**
 * Run as a program until it is killed: appends releases to the app `shop` of the store in the given directory, and
 * prints the id of each once the store has acknowledged it.
 */
const [directory = '', keyFile = ''] = process.argv.slice(2)
const store = await openStore({ rack: 'home', directory, keyFile })
for (let i = 0; ; i++) {
  const release = await store.releases.append('shop', ({ newest }) => ({
    build: null,
    environment: { ...newest?.environment, COUNT: String(i) },
    description: `release ${i}`,
    basedOn: newest?.release.id ?? null,
    links: [],
  }))
  process.stdout.write(`${release.id}\n`)
}
