/** How a client of the SDK reaches a fake account; `accessKeyId` tells callers apart. */
export function clientConfig(
  server: { endpoint: string },
  { region = 'eu-test-1', accessKeyId = 'AKIAFAKE' } = {},
): {
  endpoint: string
  region: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  disableHostPrefix: boolean
  forcePathStyle: boolean
  maxAttempts: number
} {
  return {
    endpoint: server.endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey: 'fake' },
    disableHostPrefix: true,
    forcePathStyle: true,
    maxAttempts: 1,
  }
}
