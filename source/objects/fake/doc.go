// Package fake is an S3 store inside a test, for the faults that a real one does not have on
// demand: it reads what requests ask for and answers as AWS does, or as the test wants. It checks
// no signature.
package fake
