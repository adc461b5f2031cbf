import { once } from 'node:events'
import { leadOrEnd } from '../../src/main/lead-or-end.ts'
import { createLog } from '../../src/main/log.ts'
import { leadStore } from '../../src/store/open-store.ts'

/** Run as a program until it is killed, or until it ends because it has lost the lead: prints when it leads. */
const [keyFile = '', directory, url] = process.argv.slice(2)
const lead = () => leadStore({ rack: 'home', keyFile, directory: directory || undefined, url })
const control = { signal: new AbortController().signal, report: () => undefined }
await using _lead = await leadOrEnd({ lead, log: createLog(), patienceMs: 0 }, control)
process.stdout.write('leading\n')
// Until whoever has started it is gone.
await once(process.stdin.resume(), 'end')
