package audit

// Leaf lets tests make rows of older versions.
var Leaf = leaf
