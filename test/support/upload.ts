import { pack as tarPack } from 'tar-stream'

/** The upload of a source directory: its compose text, and files by path. */
export function upload(
  compose: string,
  files: Record<string, string> = {},
  dotenv?: string,
): AsyncIterable<Uint8Array> {
  const pack = tarPack()
  const index = { files: ['docker-compose.yml'], dotenv: dotenv !== undefined, texts: [], contents: [] }
  pack.entry({ name: 'manifest/index.json' }, JSON.stringify(index))
  pack.entry({ name: 'manifest/files/docker-compose.yml' }, compose)
  if (dotenv !== undefined) pack.entry({ name: 'manifest/dotenv' }, dotenv)
  for (const [path, text] of Object.entries(files)) pack.entry({ name: `source/${path}` }, text)
  pack.finalize()
  return pack as AsyncIterable<Uint8Array>
}
