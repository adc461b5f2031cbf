import { join } from 'node:path'
import { describeApi } from '../../src/api/describe-api.ts'
import { descriptionFile } from '../../src/api/read-description.ts'
import { writeFileAtomically } from '../../src/lib/atomic-file.ts'
import { version } from '../../src/main/version.ts'

/** Writes the OpenAPI document of the API into a directory; returns the file's name. */
export async function describe(dist: string): Promise<string> {
  await writeFileAtomically(join(dist, descriptionFile), JSON.stringify(await describeApi(version)))
  return descriptionFile
}
