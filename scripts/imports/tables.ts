/**
 * Who may import whom: the table of `ARCHITECTURE.md` as data. A room may always import itself and `lib`; a folder of
 * `src` that is not a room here is an error. Unit tests (`x.test.ts`) may import anything.
 */
export const rooms: Record<string, { mayImport: string[]; isPure?: true }> = {
  'src/lib': { mayImport: [] },
  // Pure rooms reach no Node module, not even through lib.
  'src/domain': { mayImport: [], isPure: true },
  'src/manifest': { mayImport: ['src/domain'], isPure: true },
  'src/operations': { mayImport: ['src/domain', 'src/manifest', 'src/services'] },
  // What to do next, from what is there and what should be.
  'src/rollout': { mayImport: ['src/domain'], isPure: true },
  'src/services': { mayImport: ['src/domain'], isPure: true },
  'src/router': { mayImport: ['src/domain'] },
  'src/engines/common': { mayImport: ['src/domain'] },
  'src/engines/docker': { mayImport: ['src/domain', 'src/rollout', 'src/router', 'src/engines/common'] },
  'src/engines/aws': { mayImport: ['src/domain', 'src/rollout', 'src/aws', 'src/engines/common'] },
  'src/aws': { mayImport: ['src/domain'] },
  'src/account': { mayImport: ['src/domain', 'src/aws'] },
  'src/store': { mayImport: ['src/domain'] },
  // The API registers its routes from the contract that types the client: docs/decisions/0002.
  'src/edge': { mayImport: ['src/domain', 'src/operations'] },
  'src/api': { mayImport: ['src/domain', 'src/operations', 'src/edge', 'src/client/contract'] },
  'src/convox': { mayImport: ['src/domain', 'src/operations', 'src/edge'] },
  'src/client': { mayImport: ['src/domain'] },
  'src/objects': { mayImport: ['src/domain', 'src/aws'] },
  'src/host': { mayImport: ['src/domain', 'src/router'] },
  'src/cli': { mayImport: ['src/domain', 'src/client', 'src/manifest', 'src/host', 'src/account'] },
  'src/web': { mayImport: ['src/domain', 'src/client'] },
  'src/main': { mayImport: ['src'] },
}

/** Where each npm package stays; one that is not here may not be imported from `src` at all. `*` ends a prefix. */
export const packages: Record<string, string[]> = {
  yaml: ['src/manifest'],
  zod: ['src/manifest', 'src/client', 'src/api', 'src/convox', 'src/operations/moves'],
  kysely: ['src/store'],
  pg: ['src/store'],
  fastify: ['src/edge', 'src/api', 'src/convox'],
  '@fastify/*': ['src/edge', 'src/api', 'src/convox'],
  'fastify-type-provider-zod': ['src/edge', 'src/api', 'src/convox'],
  ws: ['src/edge', 'src/api', 'src/convox', 'src/client', 'src/cli', 'src/engines/aws'],
  commander: ['src/cli'],
  '@bomb.sh/tab': ['src/cli'],
  picocolors: ['src/cli'],
  '@balena/dockerignore': ['src/lib'],
  croner: ['src/lib'],
  'tar-stream': ['src/lib', 'src/cli', 'src/engines/docker'],
  pino: ['src/main'],
  'acme-client': ['src/lib/acme'],
  '@peculiar/x509': ['src/lib/x509'],
  '@aws-sdk/*': ['src/aws', 'src/account', 'src/engines/aws', 'src/objects'],
}

/**
 * What a file (or every file of a folder) must not load as it starts, directly or through others: the CLI answers in
 * the time of a bare Node, and the client gives it types of the contract without zod. Lazy imports and types are free.
 */
export const startsWithout: Record<string, string[]> = {
  'src/main/cli': ['zod', 'yaml', 'fastify', 'kysely', 'tar-stream', 'ws'],
  'src/client': ['zod', 'fastify'],
  // The description of the API is a file of the build.
  'src/main/daemon': ['@fastify/swagger', 'pg'],
}

/** Files of those folders to which it does not apply. */
export const mayStartWith = ['src/client/contract']
