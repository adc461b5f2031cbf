/** A compose file as a large team has it: so many processes of twenty lines each, and what they share. */
export function largeComposeFile(processes: number): string {
  const names = Array.from({ length: processes }, (_, index) => `service-${index}`)
  return `${shared}services:\n${names.map(processText).join('')}${ending(names)}`
}

const shared = `x-logging: &logging
  driver: json-file
  options: { max-size: 10m }
x-environment: &environment
  NODE_ENV: production
  LOG_LEVEL: \${LOG_LEVEL:-info}
`

function processText(name: string, index: number, names: string[]): string {
  const before = names[index - 1]
  return `  ${name}:
    image: registry.example.com/team/${name}:1.${index}.0
    command: ["node", "dist/${name}.js", "--port", "3000"]
    environment:
      <<: *environment
      DATABASE_URL: postgres://app:\${DB_PASSWORD:-secret}@database:5432/${name}
      QUEUE: "${name}-jobs"
    ports:
      - "3000"
    expose: ["9100"]
${before ? `    depends_on: [${before}]\n    links: [${before}]\n` : ''}    healthcheck:
      test: ["CMD", "wget", "-qO-", "http://localhost:3000/up"]
      interval: 10s
    labels:
      rack.health.path: /up
      com.example.team: team-${index % 7}
    logging: *logging
    mem_limit: 128m
`
}

function ending(names: string[]): string {
  return `volumes:\n${names.map((name) => `  ${name}-data:\n`).join('')}`
}
