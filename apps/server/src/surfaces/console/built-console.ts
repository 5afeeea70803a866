/** Where `npm run build -w @countersign/console` puts the console. */
export const builtConsole = new URL('../../../../console/dist/', import.meta.url)
