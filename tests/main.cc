// The main function of every Boost.Test executable; see waggle_test() in CMakeLists.txt.
#define BOOST_TEST_MODULE waggle
#include <boost/test/unit_test.hpp>
