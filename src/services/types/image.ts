import type { ServiceType } from '../service-type.ts'

/** Any image: its version is the whole reference, and whoever creates the service says the port. */
export const image: ServiceType = {
  name: 'image',
  aliases: [],
  versions: { usual: '', known: [], format: (reference) => reference },
  image: (reference) => reference,
  scheme: 'tcp',
  port: null,
  dataPath: () => null,
  cpuUnits: 128,
  memoryBytes: 256 * 2 ** 20,
  stopGraceMs: 10_000,
  environment: () => ({}),
  ownLogin: () => ({ path: '', username: '', password: '' }),
  command: null,
  ready: null,
  connections: null,
  logins: null,
  data: {
    says: 'the files of its volumes, taken while it is stopped',
    isVolume: true,
    restartsAfterRestore: false,
    list: null,
    parts: () => [],
    counts: null,
    canRestore: () => true,
  },
  hosted: null,
  native: 'what an image holds, its own tools alone can read and write',
  console: null,
  says: [
    "What its links say of scheme, path and login is what the image's own LINK_* say: all of them share it.",
  ],
}
