/* Prints the level that an activation gets. The library's objects are inside, as a set-user-id program takes no
 * library from a build folder. */
#include <stdio.h>

#include <sugar/sugar.h>

int main(void)
{
    sugar_activation *activation;
    if (sugar_activation_create(&activation, "relu") != SUGAR_OK)
        return 1;
    puts(sugar_activation_level(activation));
    sugar_activation_destroy(activation);
    return 0;
}
