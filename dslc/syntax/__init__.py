"""dslc/syntax"""
