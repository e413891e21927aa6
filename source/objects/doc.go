// Package objects reads objects of an S3 store: AWS, Tencent COS by its S3 API, and others that
// speak it.
//
// It promises:
//
//   - What a Reader hands out is one version of the object. It begins with whatever is there; from
//     then on every request carries If-Match with the ETag of the first, so that an object that
//     changes meanwhile is an error (Changed) and never a mixture. Unchanged says at the end
//     whether it is still there as it was.
//   - A dropped, stalled or truncated answer costs nothing but time: the rest is asked for with
//     Range. The end is reached when as many bytes have come as the object has. While nothing comes
//     it tries again, with pauses that grow to half a minute: a few times for a store that has
//     never answered, and else for as long as Config.Patience.
//   - Nothing is kept: no file is written, and memory does not depend on the size of an object.
//   - Every error is an *Error that says in one sentence what is wrong, or that of a context that
//     has ended. No error, and nothing that Config.Warn is told, has a key, a token, a signature or
//     a URL in it.
//
// It never writes to a store, never follows a redirect, and never asks for credentials beyond those
// that it was given, but for AWS itself, where the machine's role is asked for once where nothing
// else is set. Without any credentials requests are anonymous.
//
// A Store is safe for concurrent use, a Reader is not.
package objects
