// Package graph generates friend graphs of any size, together with the counts that a correct reader must find in them.
//
// It promises: the same Options give the same bytes; every row is computed from its index, so memory depends on neither the number of edges nor their
// order (some 50 MB while the graph is laid out); the rows that are not meant to be broken are valid, and no pair repeats but for the
// duplicates that were asked for; the counts of Expect are exact.
//
// It never reads anything, and it knows nothing of the packages whose tests it serves: it imports none of ours, so it cannot share their mistakes.
//
// How a graph of billions of edges fits into a few megabytes: a template of half a million edges is laid out edge by edge, with log-normal degrees and the
// asked share of mutual pairs, and the graph is so many copies of it, where each edge of the template leads from copy c to copy c + shift of that edge.
// Degrees, pairs and calls of the whole are then those of the template times the copies, while the copies are woven into one graph. Hubs, and the few edges
// that don't divide by the copies, follow behind it.
package graph
