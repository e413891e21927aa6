// Package codec has the byte forms that more than one package writes: numbers, texts and the
// optional fields of an edge. Equal values give equal bytes, and a decoder takes memory in bounds
// whatever it is given.
//
// It never does I/O and knows no file format: those belong to source/stage, source and checkpoint.
package codec
