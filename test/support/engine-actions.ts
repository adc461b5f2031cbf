import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** As IAM calls what S3 and CloudWatch call otherwise. */
const called: Record<string, string> = {
  's3:ListObjectsV2': 's3:ListBucket',
  's3:HeadObject': 's3:GetObject',
  's3:CreateMultipartUpload': 's3:PutObject',
  's3:UploadPart': 's3:PutObject',
  's3:CompleteMultipartUpload': 's3:PutObject',
  'monitoring:GetMetricData': 'cloudwatch:GetMetricData',
}
/** Whoever has a key may ask it. */
const needsNothing = new Set(['sts:GetCallerIdentity'])

/** Every action that the engine and an installation need to be allowed for their own calls, as the fake account lists those. */
export async function engineActions(): Promise<string[]> {
  const readme = await readFile(join(import.meta.dirname, '..', 'fake-aws', 'README.md'), 'utf8')
  const calls = [...readme.matchAll(/^- `([a-z0-9]+)` \d+: (.*)$/gm)].flatMap(([, service, names]) =>
    names!.split(', ').map((name) => `${service}:${name}`),
  )
  return [...new Set(calls.filter((call) => !needsNothing.has(call)).map((call) => called[call] ?? call))]
}
