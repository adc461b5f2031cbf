import type { Face } from '../edge/face.ts'
import { formatPrometheus, prometheusType } from '../lib/prometheus-text.ts'
import { bearerToken } from './bearer-token.ts'

/** `GET /metrics`, where Prometheus looks for it, in its text format. */
export const metricsFace: Face = {
  name: '/metrics',
  tokenOf: bearerToken,
  largestMessageBytes: 1024,
  addRoutes(server, { door }) {
    server.get('/metrics', { config: { access: 'readMetrics' } }, async ({ caller }, reply) => {
      const control = { signal: AbortSignal.timeout(deadlineMs), report: () => undefined }
      const metrics = await door.as(caller!).readMetrics(control)
      return await reply.type(prometheusType).send(formatPrometheus(metrics))
    })
  },
}

/** Prometheus waits for 10 s unless told otherwise. */
const deadlineMs = 9000
