// Package graph generates friend graphs of any size for the fault suite and for measurements. A
// graph is computed row by row: 2 billion edges need as little memory as 1,000.
//
// Numbers of friends are log-normal, as in real networks. Friends are close to each other on a
// circle, so that most friendships are mutual, and rows are in random order. The package imports
// nothing of the program, so it cannot share a bug with it.
package graph
