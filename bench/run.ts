/** `npm run bench [deploy router cli memory manifest]`: each prints ratios that were measured side by side in this run. */
const benches: Record<string, () => Promise<void>> = {
  deploy: async () => (await import('./deploy.ts')).benchDeploy(),
  router: async () => (await import('./router.ts')).benchRouter(),
  cli: async () => (await import('./cli.ts')).benchCli(),
  memory: async () => (await import('./memory.ts')).benchMemory(),
  manifest: async () => (await import('./manifest.ts')).benchManifest(),
}

const asked = process.argv.slice(2)
for (const name of asked.length > 0 ? asked : Object.keys(benches)) {
  const bench = benches[name]
  if (!bench) throw new Error(`no benchmark "${name}": there are ${Object.keys(benches).join(', ')}`)
  console.log(`\n# ${name}`)
  await bench()
}
