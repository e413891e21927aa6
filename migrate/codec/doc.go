// Package codec has the byte formats that several packages write: numbers, texts and the optional
// fields of an edge. Equal values give equal bytes. A decoder uses bounded memory whatever its
// input is.
//
// It does no I/O and knows no file format: those belong to source/stage, source and checkpoint.
package codec
