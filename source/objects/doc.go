// Package objects reads objects of an S3 store: AWS, Tencent COS with its S3 API, and other
// compatible stores.
//
// It promises:
//
//   - A Reader returns one version of the object. The first request takes the current version.
//     Every later request has an If-Match with its ETag, so an object that changes meanwhile is an
//     error (Changed) and never a mixture. At the end, Unchanged checks that the version is still
//     there.
//   - A dropped, stalled or truncated answer costs only time: the rest is requested with Range. The
//     Reader is at the end when it has as many bytes as the object. While nothing comes it tries
//     again, with pauses that grow to half a minute: a few times for a store that has never
//     answered, else for Config.Patience.
//   - Nothing is kept: no file is written, and memory does not depend on the size of an object.
//   - Every error is an *Error that says in one sentence what is wrong, or the error of a context
//     that has ended. No error and no message to Config.Warn contains a key, a token, a signature
//     or a URL.
//
// The package never writes to a store and never follows a redirect. It uses only the credentials
// that it was given. If there are none and the store is AWS itself, it asks once for the machine's
// role. Without any credentials requests are anonymous.
//
// A Store is safe for concurrent use, a Reader is not.
package objects
