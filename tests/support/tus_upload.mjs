// Sends a file with tus-js-client, stopping once in the middle and going on:
//   node tus_upload.mjs MODULES ENDPOINT TOKEN TASK NAME FILE
// Prints "done" when the server took all of it.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const [modules, endpoint, token, task, name, path] = process.argv.slice(2);
const tus = createRequire(`${modules}/`)('tus-js-client');
const bytes = readFileSync(path);
let isStopped = false;

const upload = new tus.Upload(bytes, {
    endpoint,
    headers: { Authorization: `Bearer ${token}` },
    metadata: { task, name },
    chunkSize: Math.ceil(bytes.length / 4),
    retryDelays: [100, 300, 1000, 3000],
    removeFingerprintOnSuccess: true,
    onError: (error) => {
        console.error(String(error));
        process.exit(1);
    },
    onSuccess: () => console.log('done'),
    onChunkComplete: async () => {
        if (isStopped)
            return;
        isStopped = true;
        await upload.abort(); // keeps what the server has
        upload.start(); // asks how far it is, and goes on there
    },
});
upload.start();
