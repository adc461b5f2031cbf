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
/** What a call needs beside its own action, since what it makes bears tags (D). */
const tagging: Record<string, string> = {
  'acm:RequestCertificate': 'acm:AddTagsToCertificate',
  'ecs:CreateService': 'ecs:TagResource',
  'ecs:RegisterTaskDefinition': 'ecs:TagResource',
  'ecs:RunTask': 'ecs:TagResource',
  'elasticfilesystem:CreateAccessPoint': 'elasticfilesystem:TagResource',
  'elasticloadbalancing:CreateRule': 'elasticloadbalancing:AddTags',
  'elasticloadbalancing:CreateTargetGroup': 'elasticloadbalancing:AddTags',
  'logs:CreateLogGroup': 'logs:TagResource',
  'secretsmanager:CreateSecret': 'secretsmanager:TagResource',
  'servicediscovery:CreateService': 'servicediscovery:TagResource',
}
/** Whoever has a key may ask it. */
const needsNothing = new Set(['sts:GetCallerIdentity'])

/** A call as the SDK names it, and the action of IAM that it needs. */
export interface EngineCall {
  call: string
  action: string
}

/** Every call that the engine and an installation make, as the fake account lists them, but for what needs nothing. */
export async function engineCalls(): Promise<EngineCall[]> {
  const readme = await readFile(join(import.meta.dirname, '..', 'fake-aws', 'README.md'), 'utf8')
  const calls = [...readme.matchAll(/^- `([a-z0-9]+)` \d+: (.*)$/gm)].flatMap(([, service, names]) =>
    names!.split(', ').map((name) => `${service}:${name}`),
  )
  return calls
    .filter((call) => !needsNothing.has(call))
    .flatMap((call) => [called[call] ?? call, tagging[call] ?? []].flat().map((action) => ({ call, action })))
}

/** Every action that the engine and an installation need to be allowed for their own calls. */
export async function engineActions(): Promise<string[]> {
  return [...new Set((await engineCalls()).map(({ action }) => action))]
}
