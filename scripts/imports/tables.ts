/**
 * Who may import whom: the table of `ARCHITECTURE.md` as data. A room may always import itself and `lib`; a folder of
 * `src` that is not a room here is an error. Unit tests (`x.test.ts`) may import anything.
 */
export const rooms: Record<string, { mayImport: string[]; isPure?: true }> = {
  'src/lib': { mayImport: [] },
  // Pure rooms reach no Node module, not even through lib.
  'src/domain': { mayImport: [], isPure: true },
  'src/manifest': { mayImport: ['src/domain'], isPure: true },
  'src/operations': { mayImport: ['src/domain', 'src/manifest'] },
  'src/engines/docker': { mayImport: ['src/domain'] },
  'src/engines/aws': { mayImport: ['src/domain'] },
  'src/store': { mayImport: ['src/domain'] },
  // The API registers its routes from the contract that types the client: docs/decisions/0002.
  'src/api': { mayImport: ['src/domain', 'src/operations', 'src/client/contract'] },
  'src/convox': { mayImport: ['src/domain', 'src/operations'] },
  'src/client': { mayImport: ['src/domain'] },
  'src/objects': { mayImport: ['src/domain'] },
  'src/host': { mayImport: ['src/domain'] },
  'src/cli': { mayImport: ['src/domain', 'src/client', 'src/manifest', 'src/host'] },
  'src/web': { mayImport: ['src/domain', 'src/client'] },
  'src/main': { mayImport: ['src'] },
}

/** Where each npm package stays; one that is not here may not be imported from `src` at all. `*` ends a prefix. */
export const packages: Record<string, string[]> = {
  yaml: ['src/manifest'],
  zod: ['src/manifest', 'src/client', 'src/api', 'src/convox'],
  dockerode: ['src/engines/docker'],
  protobufjs: ['src/engines/docker'],
  kysely: ['src/store'],
  pg: ['src/store'],
  fastify: ['src/api', 'src/convox'],
  '@fastify/*': ['src/api', 'src/convox'],
  'fastify-type-provider-zod': ['src/api', 'src/convox'],
  ws: ['src/api', 'src/convox', 'src/client', 'src/cli'],
  commander: ['src/cli'],
  '@bomb.sh/tab': ['src/cli'],
  picocolors: ['src/cli'],
  '@balena/dockerignore': ['src/lib'],
  'tar-stream': ['src/lib', 'src/cli', 'src/engines/docker'],
  pino: ['src/main'],
}

/**
 * What a file (or every file of a folder) must not load as it starts, directly or through others: the CLI answers in
 * the time of a bare Node, and the client gives it types of the contract without zod. Lazy imports and types are free.
 */
export const startsWithout: Record<string, string[]> = {
  'src/main/cli': ['zod', 'yaml', 'fastify', 'kysely', 'dockerode', 'tar-stream', 'ws'],
  'src/client': ['zod', 'fastify'],
}

/** Files of those folders to which it does not apply. */
export const mayStartWith = ['src/client/contract']
