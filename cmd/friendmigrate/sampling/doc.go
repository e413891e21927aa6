// Package sampling draws samples and says what they are worth.
//
// What it promises: every set of n members of a population is as likely as any other; the bound
// holds with the confidence it states, whatever the population. It computes and draws; it never
// looks at what the members are.
package sampling
