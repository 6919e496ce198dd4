"""What models answer to the images of each class: which they take for which, and how surely they tell them apart."""
