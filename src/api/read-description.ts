import { join } from 'node:path'
import { readTextIfThere } from '../lib/files.ts'

/** The description's file, beside the programs of a build. */
export const descriptionFile = 'openapi.json'

/**
 * The OpenAPI document: the file of the build that this program belongs to, or made anew when it runs from its sources.
 * What makes it is loaded then alone.
 */
export async function readDescription(
  version: string,
  directory = import.meta.dirname,
): Promise<Record<string, unknown>> {
  const text = await readTextIfThere(join(directory, descriptionFile))
  if (text !== null) return JSON.parse(text) as Record<string, unknown>
  const { describeApi } = await import('./describe-api.ts')
  return await describeApi(version)
}
