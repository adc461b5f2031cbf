/** One type beside the web servers may overlap, one may not. */
export const overlapTypes = `  worker:
    build: .
    command: ["sh", "-c", "trap 'exit 0' TERM; echo the worker is up; while :; do sleep 1 & wait $$!; done"]
    deploy: { resources: { limits: { cpus: "0.05", memory: 16M } } }
  store:
    build: .
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $$!; done"]
    volumes: ["data:/data"]
    deploy: { resources: { limits: { cpus: "0.05", memory: 16M } } }
volumes: { data: {} }
`
